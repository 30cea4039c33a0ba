import { connect, type Socket as TcpSocket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import type { Random } from '../support/numbers.js'

export interface Account {
  userId: string
  token: string
}

/** What there is to attack, and what anybody may know of it. */
export interface Target {
  url: string
  webhookPort: number
  jobsPort: number
  /** Of the honest clients. */
  carIds: readonly string[]
  userIds: readonly string[]
  /** It costs nothing. */
  freeCarId: string
  lobbyId: string
  /** Was removed from the lobby. */
  removed: Account
}

/** What one attack has: addresses and plain accounts of its own, and a stop. */
export interface Arms {
  target: Target
  crew: readonly Account[]
  /** Of the loopback, but not the honest clients'; each number is another one. */
  address(number?: number): string
  random: Random
  signal: AbortSignal
  /** What came of a try: a code, `ok`, `closed`. */
  note(outcome: string): void
  /** Something came through that must not. */
  breach(what: string): void
}

export interface Attack {
  what: string
  /** What it needs there before it begins, made under the same limits. */
  prepare?(arms: Arms): Promise<void>
  /** Goes on, as fast as its bounds let it, until it is stopped. */
  run(arms: Arms): Promise<void>
}

export interface Answer {
  ok: boolean
  data?: Record<string, unknown>
  error?: { code: string }
}

const ANSWER_MS = 10_000
const MAX_OPEN = 1000
const COMEBACK_MS = 200

/** Waits, or until the attack ends. */
export const pause = ({ signal }: Arms, ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {})

/** Over and over, with so long between, until stopped. */
export async function again(arms: Arms, pauseMs: number, work: () => Promise<unknown> | void): Promise<void> {
  while (!arms.signal.aborted) {
    try {
      await work()
    } catch (error) {
      arms.note((error as Error).message.slice(0, 30))
    }
    await pause(arms, pauseMs)
  }
}

// --- socket.io

/** null: anonymous. */
export function openSocket(arms: Arms, account: Pick<Account, 'token'> | null, auth: object = {}, from = 0): Socket {
  const socket = io(arms.target.url, {
    ...({ localAddress: arms.address(from) } as object),
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { ...auth, ...(account && { token: account.token }) },
  })
  arms.signal.addEventListener('abort', () => socket.disconnect(), { once: true })
  return socket
}

export const connected = (socket: Socket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', reject)
  })

export async function login(arms: Arms, account: Account | null, auth: object = {}, from = 0): Promise<Socket> {
  const socket = openSocket(arms, account, auth, from)
  await connected(socket)
  return socket
}

/** Undefined: no answer came. */
export async function ask(arms: Arms, socket: Socket, operation: string, input: unknown): Promise<Answer | undefined> {
  try {
    const answer = (await socket.timeout(ANSWER_MS).emitWithAck(operation, input)) as Answer
    arms.note(answer.ok ? 'ok' : String(answer.error?.code))
    if (answer.error?.code === 'internal') arms.breach(`${operation} answered internal`)
    return answer
  } catch {
    if (!arms.signal.aborted) arms.note('no answer')
    return undefined
  }
}

/** One request a while, answered or not, on one socket; a new one where it was cut off. */
export const flood = (
  arms: Arms,
  account: Account | null,
  pauseMs: number,
  next: (socket: Socket) => unknown,
  from = 0,
): Promise<void> => onSocket(arms, account, pauseMs, (socket) => void next(socket), from)

/** The same, each answered before the next. */
export const inTurn = (
  arms: Arms,
  account: Account | null,
  pauseMs: number,
  next: (socket: Socket) => Promise<unknown>,
): Promise<void> => onSocket(arms, account, pauseMs, next)

async function onSocket(
  arms: Arms,
  account: Account | null,
  pauseMs: number,
  next: (socket: Socket) => unknown,
  from = 0,
): Promise<void> {
  let socket: Socket | undefined
  await again(arms, pauseMs, async () => {
    if (!socket?.connected) {
      if (socket) arms.note('cut off')
      await pause(arms, socket ? COMEBACK_MS : 0)
      socket = await login(arms, account, {}, from)
    }
    await next(socket)
  })
}

// --- TCP

/** Connections that say `first`, and then what `then` says once a second. */
export async function tcp(
  arms: Arms,
  pauseMs: number,
  first: string,
  { port, then = '', addresses = 1 }: { port?: number; then?: string; addresses?: number } = {},
): Promise<void> {
  const { hostname, port: gatewayPort } = new URL(arms.target.url)
  const open = new Set<TcpSocket>()
  let made = 0
  await again(arms, pauseMs, () => {
    if (open.size >= MAX_OPEN) return
    const localAddress = arms.address(made++ % addresses)
    const socket = connect({ host: hostname, port: port ?? Number(gatewayPort), localAddress })
    const timer = setInterval(() => then && socket.write(then), 1000)
    open.add(socket)
    socket.on('error', (error: NodeJS.ErrnoException) => arms.note(error.code ?? 'error'))
    socket.on('close', () => {
      open.delete(socket)
      clearInterval(timer)
    })
    socket.on('data', (data: Buffer) => arms.note(data.toString('latin1', 0, 30).split('\r\n')[0] ?? ''))
    socket.on('end', () => arms.note('closed'))
    if (first) socket.write(first)
  })
  for (const socket of open) socket.destroy()
}

export const upgrade = (origin?: string): string =>
  [
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
    'Host: 127.0.0.1',
    ...(origin === undefined ? [] : [`Origin: http://${origin}`]),
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    '\r\n',
  ].join('\r\n')

// --- times

export const year = (y: number) => ({ from: `${y}-01-01T00:00:00.000Z`, to: `${y}-12-31T00:00:00.000Z` })

const HOUR_MS = 3_600_000

export function hour(n: number, sinceYear = 2032): { from: string; to: string } {
  const from = Date.UTC(sinceYear, 0, 1) + n * HOUR_MS
  return { from: new Date(from).toISOString(), to: new Date(from + HOUR_MS).toISOString() }
}
