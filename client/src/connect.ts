import { makeCall, type CallOptions, type Sending } from './calls.js'
import { openConnection, type Status, type Token } from './connection.js'
import { CallError, lost } from './errors.js'
import { createFeeds, type Feeds } from './following.js'
import type { Operations } from './operations.js'
import { updateEntity, type Changes, type Entity, type Newest } from './updates.js'

export type OperationName = keyof Operations
export type Input<N extends OperationName> = Operations[N]['input']
export type Data<N extends OperationName> = Operations[N]['data']

/** Each operation as a method. */
export type Methods = {
  // Not OperationName: only of `keyof` itself a method keeps the comment of its operation.
  [N in keyof Operations]: Record<never, never> extends Input<N>
    ? (input?: Input<N>, options?: CallOptions) => Promise<Data<N>>
    : (input: Input<N>, options?: CallOptions) => Promise<Data<N>>
}

export interface ConnectOptions {
  /** Without one the client is anonymous. */
  token?: Token
  /** How long a call waits for its answer, unless it says otherwise, and `connect` for the gateway. Default 30,000. */
  deadlineMs?: number
}

export interface Core extends Feeds {
  /**
   * Calls an operation by name: of this version, typed; of a newer server, as it comes. Answers the operation's data, or
   * throws a CallError. Within `deadlineMs` it waits for a connection, and sends retryable refusals and what got no answer
   * again where that is safe.
   */
  call<N extends OperationName>(operation: N, input: Input<N>, options?: CallOptions): Promise<Data<N>>
  call(operation: string, input: object, options?: CallOptions): Promise<unknown>
  /**
   * Reads an entity, has it changed, and stores the change, again where somebody else was faster: `change` makes what is to
   * be `set` from the newest value, or undefined for nothing. `{carId}`, `{roomId}`, ... say which entity.
   */
  update<E extends Entity>(
    entity: E,
    change: (newest: Newest<E>) => Changes<E> | undefined,
    options?: CallOptions,
  ): Promise<Newest<E>>
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

/** Names that the language asks of any object, which has nothing of the kind. */
const NO_OPERATIONS: ReadonlySet<string | symbol> = new Set(['then', 'toJSON'])

/**
 * Connects to a gateway, anonymously without a token, and reconnects by itself until `close()`. Throws a CallError where
 * the token is refused, or where no gateway answers in time.
 */
export async function connect(
  url: string,
  { token, deadlineMs = DEADLINE_MS }: ConnectOptions = {},
): Promise<Holdfast> {
  const connection = openConnection(url, token)
  let pendingCalls = 0

  async function call(operation: string, input: object, sending: Partial<Sending> = {}): Promise<unknown> {
    pendingCalls++
    try {
      return await makeCall(connection, operation, input, {
        ...sending,
        deadlineMs: sending.deadlineMs ?? deadlineMs,
        isForNow: (code) => isForNow(code, input),
      })
    } finally {
      pendingCalls--
    }
  }

  const { feeds, isForNow } = createFeeds(connection, call, token !== undefined)
  const core = {
    ...feeds,
    call,
    update: (entity: object, change: (newest: never) => object | undefined, options?: CallOptions) =>
      updateEntity((operation, input) => call(operation, input, options), entity, change),
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
    if (!(await connection.told(deadlineMs))) throw new CallError(lost('unavailable', noAnswer(url, core.status)))
  } catch (error) {
    connection.close()
    throw error
  }
  return new Proxy(core as unknown as Holdfast, {
    get: (target, name) =>
      typeof name === 'symbol' || name in target || NO_OPERATIONS.has(name)
        ? (Reflect.get(target, name) as unknown)
        : (input: object = {}, options?: CallOptions) => target.call(name, input, options),
  })
}

const noAnswer = (url: string, status: Status): string =>
  `No answer from ${url}${'reason' in status ? `: ${status.reason}` : ''}.`
