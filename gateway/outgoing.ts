import type { Server, Socket } from 'socket.io'
import type { Repeats } from '../platform/http/repeats.js'

/** What a socket may leave unread. One answer of the largest size and what else is sent meanwhile fit in. */
const MAX_UNREAD_BYTES = 8_000_000
/** What the sockets of a worker may leave unread together: it is memory of the worker. */
const MAX_UNREAD_BYTES_OF_WORKER = 128_000_000
/** Under this a socket counts as drained: what it gets next is under way before it has read the rest. */
const DRAINED_BYTES = 256_000
/** Websocket: the endpoint is ending the connection because of a policy. */
const POLICY_VIOLATION = 1008
/** For the reason to get out, should the client read on. */
const FAREWELL_MS = 1000

/** What goes out to one socket. */
export interface Outgoing {
  /** All that was sent to it so far. */
  sentBytes(): number
  /** Resolves when it has read nearly all of that, or is gone. */
  drained(): Promise<void>
}

export interface OutgoingBytes {
  of(socket: Socket): Outgoing
}

/** engine.io's side of a connection, as far as it is needed here. */
interface Connection {
  on(event: 'packetCreate', listener: (packet: { data?: string | Buffer }) => void): unknown
  on(event: 'flush', listener: () => void): unknown
  once(event: 'close', listener: () => void): unknown
  close(discard?: boolean): void
  readonly remoteAddress: string
  readonly transport: {
    on(event: 'ready', listener: () => void): unknown
    socket: { close(code: number, reason: string): void; terminate(): void }
  }
}

interface Account {
  sent: number
  /** Waits in engine.io's buffer. */
  queued: number
  /** Was handed to the connection, and not all of it has been taken by the kernel. */
  written: number
  waiting: Set<() => void>
}

/**
 * Counts what waits to be read, by socket and by worker, as it is sent. A socket that does not read is cut off before it
 * costs much: it comes back for the rest. Where a worker's memory for it runs short, the one with the most goes first.
 */
export function countOutgoing(
  io: Server,
  repeats: Repeats,
  limits = { ofSocket: MAX_UNREAD_BYTES, ofWorker: MAX_UNREAD_BYTES_OF_WORKER },
): OutgoingBytes {
  const accounts = new Map<Connection, Account>()
  let unreadOfAll = 0

  io.engine.on('connection', (raw: unknown) => {
    const connection = raw as Connection
    const account: Account = { sent: 0, queued: 0, written: 0, waiting: new Set() }
    accounts.set(connection, account)
    connection.on('packetCreate', ({ data }) => {
      if (data === undefined) return
      const bytes = Buffer.byteLength(data)
      account.sent += bytes
      account.queued += bytes
      unreadOfAll += bytes
      if (unread(account) > limits.ofSocket) cutOff(connection, account)
      else if (unreadOfAll > limits.ofWorker) cutOffTheWorst()
    })
    connection.on('flush', () => {
      account.written += account.queued
      account.queued = 0
    })
    connection.transport.on('ready', () => {
      unreadOfAll -= account.written
      account.written = 0
      if (unread(account) <= DRAINED_BYTES) wake(account)
    })
    connection.once('close', () => forget(connection, account))
  })

  const unread = ({ queued, written }: Account): number => queued + written

  function wake({ waiting }: Account): void {
    for (const resolve of waiting) resolve()
    waiting.clear()
  }

  function forget(connection: Connection, account: Account): void {
    if (!accounts.delete(connection)) return
    unreadOfAll -= unread(account)
    wake(account)
  }

  function cutOff(connection: Connection, account: Account): void {
    repeats.note('reads too slowly', connection.remoteAddress, { unreadBytes: unread(account) })
    const { socket } = connection.transport
    socket.close(POLICY_VIOLATION, `reads too slowly: ${unread(account)} bytes unread`)
    // From here on nothing is sent to it any more, and its feeds end.
    connection.close(true)
    setTimeout(() => socket.terminate(), FAREWELL_MS).unref()
  }

  function cutOffTheWorst(): void {
    const [worst] = [...accounts].sort(([, a], [, b]) => unread(b) - unread(a))
    if (worst) cutOff(...worst)
  }

  return {
    of({ conn }) {
      const account = accounts.get(conn as unknown as Connection)
      return {
        sentBytes: () => account?.sent ?? 0,
        drained: () =>
          account && accounts.has(conn as unknown as Connection) && unread(account) > DRAINED_BYTES
            ? new Promise((resolve) => account.waiting.add(resolve))
            : Promise.resolve(),
      }
    },
  }
}
