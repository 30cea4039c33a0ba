import { setTimeout as sleep } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import type { Result } from '../../../platform/contract/errors.js'

/** One message of the lobby, as a client had it. */
export interface Heard {
  seq: number
  name: string
  /** Says what it is about, to compare with what others heard. */
  about: string
  /** When it happened, by its sender, and when it was here, ms since 1970. */
  happenedAt: number
  heardAt: number
}

export interface Outcome {
  name: 'booking:confirmed' | 'booking:rejected'
  bookingId: string
  seats: number[]
}

/** A stock socket.io client that is in a lobby, comes back to it after each cut, and sends requests until they have an end. */
export interface Passenger {
  userId: string
  lobbyId: string
  /** Of the lobby, over all connections, in the order of arrival. */
  heard: Heard[]
  /** Of its own bookings, however often it was told. */
  outcomes: Outcome[]
  /** Where it joined first. */
  joinedAt: number
  joined(): boolean
  /** Undefined where the run ends before the request does. */
  settle(operation: string, input: object): Promise<Result<Record<string, unknown>> | undefined>
  close(): void
}

const ANSWER_TIMEOUT_MS = 10_000
const PAUSE_MS = 300

export function createPassenger(options: {
  url: string
  token: string
  userId: string
  lobbyId: string
  signal: AbortSignal
}): Passenger {
  const { url, token, userId, lobbyId, signal } = options
  let userSeq: number | undefined
  let lobbySeq: number | undefined
  let isIn = false

  const socket: Socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 100,
    reconnectionDelayMax: 1000,
    timeout: 20_000,
    auth: (send) =>
      send({
        token,
        ...(userSeq !== undefined && { lastSeq: userSeq }),
        ...(passenger.joinedAt >= 0 && { lobbies: { [lobbyId]: passenger.joinedAt } }),
      }),
  })
  socket.on('connect_error', (error: Error & { data?: { retryable?: boolean } }) => {
    if (error.data?.retryable) setTimeout(() => !signal.aborted && socket.connect(), 500)
  })
  socket.on('disconnect', () => (isIn = false))
  socket.on('connect', () => void join())

  const passenger: Passenger = {
    userId,
    lobbyId,
    heard: [],
    outcomes: [],
    joinedAt: -1,
    joined: () => isIn,
    async settle(operation, input) {
      while (!signal.aborted) {
        const result = await ask(operation, input)
        if (result && (result.ok || !result.error.retryable)) return result
        await sleep(PAUSE_MS * (0.5 + Math.random()), undefined, { signal }).catch(() => {})
      }
      return undefined
    },
    close: () => void socket.disconnect(),
  }

  socket.onAny((name: string, data: Record<string, unknown>) => {
    const heardAt = Date.now()
    if (name === 'operations') return
    const { seq, bookingId, at } = data as { seq: number; bookingId?: string; at?: string }
    if (data['lobbyId'] === lobbyId) {
      lobbySeq = seq
      // The answer of the join may be lost, and what came of it not.
      if (passenger.joinedAt < 0) passenger.joinedAt = seq - 1
      const about = bookingId ?? (data['messageId'] as string | undefined) ?? ''
      passenger.heard.push({ seq, name, about, happenedAt: Date.parse(at ?? ''), heardAt })
    } else {
      userSeq = seq
    }
    if ((name === 'booking:confirmed' || name === 'booking:rejected') && data['userId'] === userId) {
      passenger.outcomes.push({
        name,
        bookingId: String(bookingId),
        seats: (data['seats'] as number[] | undefined) ?? [],
      })
    }
  })

  async function ask(operation: string, input: object): Promise<Result<Record<string, unknown>> | undefined> {
    try {
      return (await socket.timeout(ANSWER_TIMEOUT_MS).emitWithAck(operation, input)) as never
    } catch {
      return undefined
    }
  }

  /** With what it heard last: from the first join on it must miss nothing. */
  async function join(): Promise<void> {
    const { id } = socket
    while (!signal.aborted && socket.connected && socket.id === id) {
      const lastSeq = lobbySeq
      const result = await ask('joinLobby', { lobbyId, ...(lastSeq !== undefined && { lastSeq }) })
      if (result?.ok && socket.id === id) {
        isIn = true
        lobbySeq ??= (result.data as { seq: number }).seq
        if (passenger.joinedAt < 0) passenger.joinedAt = (result.data as { seq: number }).seq
        return
      }
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => {})
    }
  }

  return passenger
}
