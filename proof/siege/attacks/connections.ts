import {
  again,
  ask,
  connected,
  flood,
  login,
  openSocket,
  pause,
  tcp,
  upgrade,
  type Arms,
  type Attack,
} from '../arms.js'

/** Attacks on whatever comes before a request. */
export const CONNECTIONS: Record<string, Attack> = {
  'idle-connections': {
    what: 'TCP connections that send no byte, from 20 addresses',
    run: (arms) => tcp(arms, 2, '', { addresses: 20 }),
  },
  'half-handshakes': {
    what: 'websockets that never say who they are, from 5 addresses',
    run: (arms) => tcp(arms, 5, upgrade(), { addresses: 5 }),
  },
  'slow-headers': {
    what: 'HTTP requests of one header a second',
    run: (arms) => tcp(arms, 5, 'GET /status HTTP/1.1\r\nHost: a\r\n', { then: 'X-More: 1\r\n' }),
  },
  'status-flood': {
    what: 'pipelined GET /status, 50 a connection',
    run: (arms) => tcp(arms, 10, 'GET /status HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50)),
  },
  'big-origins': {
    what: 'handshakes with an Origin of 15 kB',
    run: (arms) => tcp(arms, 2, upgrade('o'.repeat(15_000))),
  },
  'bad-tokens': {
    what: 'handshakes with forged tokens',
    run: (arms) => again(arms, 5, () => handshake(arms, `${arms.crew[0]?.token}x`)),
  },
  'connect-storm': {
    what: 'real handshakes, each left at once',
    run: (arms) => again(arms, 2, () => handshake(arms, String(arms.crew[0]?.token))),
  },
  'big-messages': {
    what: 'requests of 90 kB and of 900 kB',
    run: (arms) =>
      flood(arms, null, 20, (socket) =>
        ask(arms, socket, 'signIn', { email: 'e'.repeat(arms.random() < 0.5 ? 90_000 : 900_000), password: 'x' }),
      ),
  },
  'no-acknowledgement': {
    what: 'events that ask for no answer, as fast as they can be written',
    run: (arms) =>
      flood(arms, null, 1, (socket) => {
        for (let i = 0; i < 20; i++) socket.emit('getStatus', {})
      }),
  },
  'log-bombs': {
    what: 'operations that do not exist, with names of 10 kB',
    run: (arms) => flood(arms, null, 2, (socket) => ask(arms, socket, 'x'.repeat(10_000), {})),
  },
  'revoked-tokens': {
    what: 'sockets and handshakes (lastSeq 0) with a token from before the password changed',
    prepare: signUpVictim,
    run: revoked,
  },
}

async function handshake(arms: Arms, token: string): Promise<void> {
  const socket = openSocket(arms, { token })
  try {
    await connected(socket)
    arms.note('connected')
  } catch (error) {
    const { data, message } = error as Error & { data?: { code?: string } }
    arms.note(data?.code ?? message)
  } finally {
    socket.disconnect()
  }
}

const victims = new WeakMap<object, { userId: string; token: string; password: string }>()

async function signUpVictim(arms: Arms): Promise<void> {
  const socket = await login(arms, null)
  const password = 'the first pass phrase'
  const email = `victim-${Date.now()}@example.com`
  const answer = await ask(arms, socket, 'signUp', { email, password })
  const { user, token } = (answer?.data ?? {}) as { user?: { id: string }; token?: string }
  if (user && token) victims.set(arms.crew, { userId: user.id, token, password })
  socket.disconnect()
}

/** What a token may still hear after it was revoked, ms: the promise of docs/security.md, and a little for the way. */
const ENDS_WITHIN_MS = 2500

async function revoked(arms: Arms): Promise<void> {
  const victim = victims.get(arms.crew)
  const sender = arms.crew[0]
  if (!victim || !sender) return arms.note('no victim')
  let round = 0
  await again(arms, 50, async () => {
    const old = { ...victim }
    const before = await login(arms, old)
    const newPassword = `another pass phrase ${++round}`
    const changed = await ask(arms, before, 'changePassword', { oldPassword: old.password, newPassword })
    if (!changed?.ok) return
    Object.assign(victim, { password: newPassword, token: changed.data?.['token'] })
    await pause(arms, ENDS_WITHIN_MS)
    const since = openSocket(arms, old, { lastSeq: 0 })
    for (const socket of [before, since]) socket.on('message:new', () => arms.breach('a revoked token hears messages'))
    await ask(arms, await login(arms, sender), 'sendMessage', { toUserId: victim.userId, text: 'a secret' })
    const mine = await ask(arms, before, 'getUser', { userId: victim.userId })
    if (mine?.ok) arms.breach('a revoked token reads')
    await pause(arms, 1000)
    for (const socket of [before, since]) socket.disconnect()
  })
}
