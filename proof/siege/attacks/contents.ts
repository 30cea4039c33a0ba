import type { Socket as TcpSocket } from 'node:net'
import { again, ask, flood, login, tcp, type Account, type Arms, type Attack } from '../arms.js'

/** Attacks by what is stored, and by what is guessed. */
export const CONTENTS: Record<string, Attack> = {
  'deaf-sockets': {
    what: 'sockets that ask for all they missed (lastSeq 0) and for pages, and read nothing',
    prepare: (arms) => sendMessages(arms, 'm'.repeat(10_000)),
    run: (arms) =>
      again(arms, 50, async () => {
        const socket = await login(arms, member(arms, 1), { lastSeq: 0 })
        const { transport } = socket.io.engine as unknown as { transport: { ws: { _socket: TcpSocket } } }
        transport.ws._socket.pause()
        const withUserId = member(arms, 0).userId
        for (let i = 0; i < 20; i++) socket.emit('getConversation', { withUserId, limit: 200 }, () => {})
        arms.signal.addEventListener('abort', () => transport.ws._socket.destroy(), { once: true })
      }),
  },
  replays: {
    what: 'connects with lastSeq 0 to a feed of 200 texts of 10 kB, read and left',
    prepare: (arms) => sendMessages(arms, 'm'.repeat(10_000)),
    run: (arms) =>
      again(arms, 20, async () => {
        const socket = await login(arms, member(arms, 1), { lastSeq: 0 })
        socket.once('message:new', () => arms.note('replayed'))
        setTimeout(() => socket.disconnect(), 500)
      }),
  },
  'quoted-pages': {
    what: 'messages of 10,240 quotes, which are twice as long in JSON, and pages of 200 of them',
    prepare: (arms) => sendMessages(arms, '"'.repeat(10_240)),
    run: (arms) =>
      flood(arms, member(arms, 1), 30, (socket) =>
        ask(arms, socket, 'getConversation', { withUserId: member(arms, 0).userId, limit: 200 }),
      ),
  },
  'control-characters': {
    what: 'messages of 10,240 control characters, which are six times as long in JSON',
    run: (arms) =>
      flood(arms, member(arms, 0), 20, async (socket) => {
        const text = '\u0001'.repeat(10_240)
        const answer = await ask(arms, socket, 'sendMessage', { toUserId: member(arms, 1).userId, text })
        if (answer?.ok) arms.breach('a message of control characters was taken')
      }),
  },
  'message-flood': {
    what: 'messages of 10 kB, as fast as they are taken',
    run: (arms) =>
      flood(arms, member(arms, 0), 4, (socket) =>
        ask(arms, socket, 'sendMessage', { toUserId: member(arms, 1).userId, text: 'm'.repeat(10_000) }),
      ),
  },
  'ticket-flood': {
    what: 'tickets put up for sale, as fast as they are taken',
    run: (arms) =>
      flood(arms, member(arms, 0), 4, (socket) =>
        ask(arms, socket, 'createTicket', { title: 't'.repeat(200), price: 1 }),
      ),
  },
  'sign-ups': {
    what: 'new accounts, from 3 addresses',
    run: (arms) => passwords(arms, 3, (i) => ['signUp', { email: `s${i}-${Date.now()}@example.com` }]),
  },
  'password-guesses': {
    what: "guesses at one account's password, from 10 addresses",
    run: (arms) => passwords(arms, 10, () => ['signIn', { email: 'honest-0@example.com' }]),
  },
  'bad-webhooks': {
    what: 'webhooks that are not signed, or that are no JSON',
    run: (arms) =>
      tcp(arms, 4, post('/stripe', '{"a":', { 'stripe-signature': 't=1,v1=0' }), portOf(arms, 'webhookPort')),
  },
  'agendash-guesses': {
    what: "guesses at an admin's password for agendash",
    run: (arms) => {
      const form = { 'content-type': 'application/x-www-form-urlencoded', host: '127.0.0.1' }
      return tcp(
        arms,
        20,
        post('/sign-in', 'email=operator%40example.com&password=guess', form),
        portOf(arms, 'jobsPort'),
      )
    },
  },
  'strange-texts': {
    what: 'names and searches with NUL, line ends, direction overrides, lone surrogates, or nothing to see',
    run: strangeTexts,
  },
}

const member = ({ crew }: Arms, n: number): Account => crew[n % crew.length] as Account

const MESSAGES = 200

/** As many as one page or feed shows, sent as fast as one user may. */
async function sendMessages(arms: Arms, text: string): Promise<void> {
  const socket = await login(arms, member(arms, 0))
  const toUserId = member(arms, 1).userId
  const AT_ONCE = 10
  for (let i = 0; i < MESSAGES; i += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => ask(arms, socket, 'sendMessage', { toUserId, text })))
  }
  socket.disconnect()
}

/** A request with a password every few milliseconds, from each address in its turn. */
async function passwords(arms: Arms, addresses: number, next: (i: number) => [string, object]): Promise<void> {
  let i = 0
  await Promise.all(
    Array.from({ length: addresses }, (_, from) =>
      flood(
        arms,
        null,
        50,
        (socket) => {
          const [operation, input] = next(i++)
          void ask(arms, socket, operation, { ...input, password: `a guess ${i} at it` })
        },
        from,
      ),
    ),
  )
}

const post = (path: string, body: string, headers: Record<string, string>): string =>
  [
    `POST ${path} HTTP/1.1`,
    ...Object.entries({ host: 'a', connection: 'close', 'content-length': String(body.length), ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    ),
    '',
    body,
  ].join('\r\n')

const portOf = ({ target }: Arms, which: 'webhookPort' | 'jobsPort') => ({ port: target[which] })

const STRANGE = ['a\u0000b', 'a\nb', '\u202eadmin', '\ud800', '\u200b', '\u2800', ' ', '']

async function strangeTexts(arms: Arms): Promise<void> {
  let i = 0
  await flood(arms, member(arms, 0), 10, async (socket) => {
    const text = STRANGE[i++ % STRANGE.length]
    await ask(arms, socket, 'listTrains', { route: text })
    const { ok } = (await ask(arms, socket, 'createTicket', { title: text, price: 1 })) ?? {}
    if (ok) arms.breach(`a ticket may be called ${JSON.stringify(text)}`)
  })
}
