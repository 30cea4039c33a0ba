import type { Connection } from './connection.js'
import { CallError, lost, retryAfterMs, type PublicError } from './errors.js'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2000
/** A defect of the server is worth one more try, not half a minute of them. */
const TRIES_OF_A_DEFECT = 2

export interface CallOptions {
  /** How long to wait for an answer, over all tries. Default 30 s. */
  deadlineMs?: number
  /** Stops waiting. What was sent may still be done: its outcome is unknown, as after any lost answer. */
  signal?: AbortSignal
}

type Result = { ok: true; data: unknown } | { ok: false; error: PublicError }

/**
 * One call, exactly once: an id that the input leaves open is chosen here, once, so that every try is the same request.
 * What is not safe to send twice is sent once; where its answer is lost, the call fails at once and says so.
 */
export async function makeCall(
  connection: Connection,
  operation: string,
  input: object,
  { deadlineMs, signal }: { deadlineMs: number; signal?: AbortSignal | undefined },
): Promise<unknown> {
  signal?.throwIfAborted()
  const giveUpAtMs = performance.now() + deadlineMs
  const left = (): number => Math.max(1, giveUpAtMs - performance.now())
  const spec = (await aborting(connection.ready(deadlineMs), signal))[operation]
  const request = withId(input, spec?.newId)
  let defects = 0
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const result = await aborting(attempt(connection, operation, request, left()), signal)
    if (result.ok) return result.data
    const { code, retryable } = result.error
    if (code === 'unauthenticated' && connection.renew()) continue
    // What was rate_limited has not been done, so that is safe for every operation.
    const safe = spec?.idempotent === true || code === 'rate_limited'
    const again = retryable && safe && (code !== 'internal' || ++defects < TRIES_OF_A_DEFECT)
    const waitMs = Math.max(pauseMs * (0.5 + Math.random() / 2), retryAfterMs(result.error))
    if (!again || waitMs >= left()) throw new CallError(result.error)
    await aborting(new Promise((resolve) => setTimeout(resolve, waitMs)), signal)
  }
}

/** While the connection is down, socket.io keeps the request and sends it when it is back. */
async function attempt(
  { socket, refused }: Connection,
  operation: string,
  input: unknown,
  timeoutMs: number,
): Promise<Result> {
  const closed = refused()
  if (closed) throw closed
  try {
    return (await socket.timeout(timeoutMs).emitWithAck(operation, input)) as Result
  } catch {
    const closedMeanwhile = refused()
    if (closedMeanwhile) throw closedMeanwhile
    const message = 'The connection was lost before the answer came: whether it was done is unknown.'
    return { ok: false, error: lost('deadline_exceeded', message) }
  }
}

async function aborting<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** 24 hex digits that begin with the time, as the server's own ids do. */
export function newId(): string {
  const random = crypto.getRandomValues(new Uint8Array(8))
  const seconds = Math.floor(Date.now() / 1000)
  return (
    seconds.toString(16).padStart(8, '0') + Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')
  )
}

const withId = (input: object, key: string | undefined): object =>
  key === undefined || (input as Record<string, unknown>)[key] !== undefined ? input : { ...input, [key]: newId() }
