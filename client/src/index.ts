import { makeCall, type CallOptions } from './calls.js'
import { openConnection, type Status, type Token } from './connection.js'
import { createFeeds, type Feeds } from './following.js'
import type { Operations } from './operations.js'

export { newId, type CallOptions } from './calls.js'
export type { Status, Token } from './connection.js'
export { CallError, type PublicError, type RefusalOf } from './errors.js'
export type { Entry, Following, Gap, LobbyEntry, UserEntry } from './following.js'
export type * from './operations.js'

export type OperationName = keyof Operations
export type Input<N extends OperationName> = Operations[N]['input']
export type Data<N extends OperationName> = Operations[N]['data']

/** Each operation as a method. */
export type Methods = {
  [N in OperationName]: object extends Input<N>
    ? (input?: Input<N>, options?: CallOptions) => Promise<Data<N>>
    : (input: Input<N>, options?: CallOptions) => Promise<Data<N>>
}

export interface Core extends Feeds {
  /**
   * Calls an operation by name: of this version, typed; of a newer server, as it comes. Answers the operation's data, or
   * throws a CallError. Within `deadlineMs` it waits for a connection, and sends retryable refusals and what got no answer
   * again where that is safe.
   */
  call<N extends OperationName>(operation: N, input: Input<N>, options?: CallOptions): Promise<Data<N>>
  call(operation: string, input: object, options?: CallOptions): Promise<unknown>
  readonly status: Status
  /** Hears of each change of the status; answers how to stop. */
  onStatus(listener: (status: Status) => void): () => void
  /** Calls that wait for their answer. */
  readonly pendingCalls: number
  /** Ends the connection and whatever still waits. */
  close(): void
}

export type Holdfast = Core & Methods

const DEADLINE_MS = 30_000

/**
 * Connects to a gateway, anonymously without a token, and reconnects by itself until `close()`. Throws a CallError where
 * the token is refused, or where no gateway answers within `deadlineMs` (default 30 s).
 */
export async function connect(
  url: string,
  { token, deadlineMs = DEADLINE_MS }: { token?: Token; deadlineMs?: number } = {},
): Promise<Holdfast> {
  const connection = openConnection(url, token)
  let pendingCalls = 0

  async function call(operation: string, input: object, options: CallOptions = {}): Promise<unknown> {
    pendingCalls++
    try {
      return await makeCall(connection, operation, input, {
        deadlineMs: options.deadlineMs ?? deadlineMs,
        signal: options.signal,
      })
    } finally {
      pendingCalls--
    }
  }

  const core = {
    ...createFeeds(connection, call, token !== undefined),
    call,
    onStatus: connection.onStatus,
    close: connection.close,
    get status() {
      return connection.status()
    },
    get pendingCalls() {
      return pendingCalls
    },
  }
  try {
    await connection.ready(deadlineMs)
  } catch (error) {
    connection.close()
    throw error
  }
  return new Proxy(core as unknown as Holdfast, {
    // `then`: a client is awaited by whoever connects, and is no promise itself.
    get: (target, name) =>
      typeof name === 'symbol' || name === 'then' || name in target
        ? (Reflect.get(target, name) as unknown)
        : (input: object = {}, options?: CallOptions) => call(name, input, options),
  })
}
