import { io, type Socket } from 'socket.io-client'
import type { Result } from '../../../platform/contract/errors.js'

/** Something that a socket was told. */
export interface Heard {
  seq: number
  name: string
  data: Record<string, unknown>
}

/** A user's only socket, which comes and goes. */
export interface RaceClient {
  userId: string
  /** Everything that came, over all connections, in the order in which it came. */
  heard: Heard[]
  /** Breaks of the sequence: a number that was missed or came twice. */
  breaks: string[]
  lastSeq(): number
  send(operation: string, input: object): Promise<Result<Record<string, unknown>>>
  connect(): Promise<void>
  disconnect(): void
}

const TIMEOUT_MS = 30_000
/** What clients listen to; the rest is the gateway's own. */
const EVENT = /^(message|invitation|calendar):/

/** Follows its user's feed from the beginning, and after each break from what it saw last. Acknowledges what can be. */
export function createRaceClient(url: string, { userId, token }: { userId: string; token: string }): RaceClient {
  let last = 0
  const heard: Heard[] = []
  const breaks: string[] = []
  const socket: Socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    autoConnect: false,
    reconnectionDelay: 50,
    auth: (tell) => tell({ token, lastSeq: last }),
  })
  socket.onAny((name: string, data: Record<string, unknown>, acknowledge?: () => void) => {
    if (!EVENT.test(name)) return
    const seq = Number(data.seq)
    if (seq !== last + 1) breaks.push(`${userId}: ${seq} after ${last}`)
    last = seq
    heard.push({ seq, name, data })
    acknowledge?.()
  })
  return {
    userId,
    heard,
    breaks,
    lastSeq: () => last,
    async send(operation, input) {
      try {
        return (await socket.timeout(TIMEOUT_MS).emitWithAck(operation, input)) as Result<Record<string, unknown>>
      } catch {
        return {
          ok: false,
          error: { code: 'deadline_exceeded', message: 'no answer', retryable: true, requestId: '' },
        }
      }
    },
    connect: () =>
      new Promise((resolve) => {
        if (socket.connected) return resolve()
        socket.once('connect', resolve)
        socket.connect()
      }),
    disconnect: () => void socket.disconnect(),
  }
}
