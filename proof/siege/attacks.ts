import { connect, type Socket as TcpSocket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import type { Random } from '../support/numbers.js'

/** What an attacker has: an address of its own, plain accounts, and a stop. */
export interface Arms {
  url: URL
  /** Of the loopback, but not the honest clients'. */
  localAddress: string
  tokens: readonly string[]
  userIds: readonly string[]
  carId: string
  random: Random
  signal: AbortSignal
  /** What came of a try: a code, `ok`, `closed`. */
  note(outcome: string): void
}

const MAX_OPEN = 1000

/** Each tries one thing, as fast as its bounds let it, until it is stopped. */
export const ATTACKS: Record<string, { what: string; run(arms: Arms): Promise<void> }> = {
  'idle-connections': { what: 'TCP connections that send no byte', run: (arms) => tcp(arms, 3, '') },
  'half-handshakes': { what: 'websockets that never say who they are', run: (arms) => tcp(arms, 5, upgrade('x')) },
  'big-origins': {
    what: 'handshakes with an Origin of 15 kB',
    run: (arms) => tcp(arms, 2, upgrade('o'.repeat(15_000))),
  },
  'bad-tokens': {
    what: 'handshakes with tokens that are forged',
    run: (arms) => again(arms, 5, () => handshake(arms, `${arms.tokens[0]}x`)),
  },
  'password-guesses': {
    what: 'sign-ins with wrong passwords',
    run: (arms) => flood(arms, null, 10, 'signIn', () => ({ email: 'eve@example.com', password: 'guess-guess' })),
  },
  'expired-exports': {
    what: "a year's exports, sent in one burst, whose client leaves",
    run: (arms) =>
      again(arms, 300, async () => {
        const socket = await login(arms, 0)
        for (let i = 0; i < 100; i++) void ask(arms, socket, 'exportCalendar', { ...year(2031), as: 'buyer' })
        await sleep(200)
        socket.disconnect()
      }),
  },
  'year-9999': {
    what: 'the calendar of the last day of the year 9999',
    run: (arms) =>
      flood(arms, 0, 50, 'getCalendar', () => ({
        ...{ from: '9999-12-31T00:00:00.000Z', to: '9999-12-31T00:02:00.000Z', as: 'buyer' },
      })),
  },
  'deaf-sockets': {
    what: 'sockets that ask for all they missed (lastSeq 0) and read nothing',
    run: (arms) =>
      again(arms, 100, async () => {
        const socket = await login(arms, 1, { lastSeq: 0 })
        const { transport } = socket.io.engine as unknown as { transport: { ws: { _socket: TcpSocket } } }
        transport.ws._socket.pause()
        for (let i = 0; i < 20; i++)
          socket.emit('getConversation', { withUserId: arms.userIds[0], limit: 200 }, () => {})
        arms.signal.addEventListener('abort', () => transport.ws._socket.destroy(), { once: true })
      }),
  },
  'control-characters': {
    what: 'messages of control characters, which are six times as long in JSON, and pages of them',
    run: (arms) => conversation(arms, '\u0001'.repeat(10_000)),
  },
  'quota-eaters': { what: 'messages of 10 kB', run: (arms) => conversation(arms, 'm'.repeat(10_000)) },
  'penniless-bookers': {
    what: 'bookings of a user without money',
    run: (arms) =>
      flood(arms, 2, 20, 'createBooking', () => ({ carId: arms.carId, ...hour(Math.floor(arms.random() * 10_000)) })),
  },
  'log-bombs': {
    what: 'operations that do not exist, with names of 10 kB',
    run: (arms) => flood(arms, null, 2, 'x'.repeat(10_000), () => ({})),
  },
}

const year = (y: number) => ({ from: `${y}-01-01T00:00:00.000Z`, to: `${y}-12-31T00:00:00.000Z` })
const hour = (n: number) => {
  const from = Date.UTC(2032, 0, 1) + n * 3_600_000
  return { from: new Date(from).toISOString(), to: new Date(from + 3_600_000).toISOString() }
}
const upgrade = (origin: string): string =>
  [
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
    'Host: 127.0.0.1',
    ...(origin === 'x' ? [] : [`Origin: http://${origin}`]),
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    '\r\n',
  ].join('\r\n')

/** Over and over, with so long between, until stopped. */
async function again({ signal, note }: Arms, pauseMs: number, work: () => Promise<unknown>): Promise<void> {
  while (!signal.aborted) {
    await work().catch((error: Error) => note(error.message.slice(0, 30)))
    await sleep(pauseMs)
  }
}

async function tcp(arms: Arms, pauseMs: number, first: string): Promise<void> {
  const { url, localAddress, signal, note } = arms
  const open = new Set<TcpSocket>()
  await again(arms, pauseMs, () => {
    if (open.size >= MAX_OPEN) return Promise.resolve()
    const socket = connect({ host: url.hostname, port: Number(url.port), localAddress })
    open.add(socket)
    socket.on('error', (error: NodeJS.ErrnoException) => note(error.code ?? 'error'))
    socket.on('close', () => open.delete(socket))
    socket.on('data', (data: Buffer) => note(data.toString('latin1', 0, 30).split('\r\n')[0] ?? ''))
    socket.on('end', () => note('closed'))
    if (first) socket.write(first)
    return Promise.resolve()
  })
  if (signal.aborted) for (const socket of open) socket.destroy()
}

function openSocket({ url, localAddress, signal }: Arms, auth: object): Socket {
  const socket = io(url.href, {
    ...({ localAddress } as object),
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth,
  })
  signal.addEventListener('abort', () => socket.disconnect(), { once: true })
  return socket
}

const connected = (socket: Socket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', reject)
  })

async function handshake(arms: Arms, token: string): Promise<void> {
  const socket = openSocket(arms, { token })
  await connected(socket).catch((error: Error & { data?: { code?: string } }) =>
    arms.note(error.data?.code ?? error.message),
  )
  socket.disconnect()
}

/** `who`: the number of its account; null: anonymous. */
async function login(arms: Arms, who: number | null, auth: object = {}): Promise<Socket> {
  const socket = openSocket(arms, { ...auth, ...(who !== null && { token: arms.tokens[who] }) })
  await connected(socket)
  return socket
}

async function ask({ note }: Arms, socket: Socket, operation: string, input: object): Promise<void> {
  try {
    const answer = (await socket.timeout(10_000).emitWithAck(operation, input)) as {
      ok: boolean
      error?: { code: string }
    }
    note(answer.ok ? 'ok' : String(answer.error?.code))
  } catch {
    note('no answer')
  }
}

/** One request a while, answered or not, on one socket; a new one where it was cut off. */
async function flood(arms: Arms, who: number | null, pauseMs: number, operation: string, input: () => object) {
  let socket = await login(arms, who)
  await again(arms, pauseMs, async () => {
    if (!socket.connected) {
      arms.note('cut off')
      await sleep(200)
      socket = await login(arms, who)
    }
    void ask(arms, socket, operation, input())
  })
}

async function conversation(arms: Arms, text: string): Promise<void> {
  const pages = flood(arms, 1, 50, 'getConversation', () => ({ withUserId: arms.userIds[0], limit: 200 }))
  await flood(arms, 0, 20, 'sendMessage', () => ({ toUserId: arms.userIds[1], text }))
  await pages
}
