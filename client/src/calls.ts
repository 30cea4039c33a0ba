import { abortable, pause } from './abortable.js'
import type { Connection } from './connection.js'
import { CallError, lost, retryAfterMs, type PublicError } from './errors.js'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2000
/** A defect of the server is worth one more try, not half a minute of them. */
const TRIES_OF_A_DEFECT = 2

export interface CallOptions {
  /** How long to wait for an answer, over all tries, in milliseconds. Default 30,000. */
  deadlineMs?: number
  /**
   * Stops waiting. What was not sent yet is not sent any more; what was sent may still be done: its outcome is unknown, as
   * after any lost answer.
   */
  signal?: AbortSignal
}

export type Result = { ok: true; data: unknown } | { ok: false; error: PublicError }

export interface Sending {
  deadlineMs: number
  signal?: AbortSignal | undefined
  /** Hears an answer in the very turn in which it comes, before anything that the server says after it. */
  heard?: ((result: Result) => void) | undefined
  /** Whether a refusal, which has done nothing, is only for now: this client has not come back yet to where it was. */
  isForNow?: ((code: string) => boolean) | undefined
}

/**
 * One call, exactly once: an id that the input leaves open is chosen here, once, so that every try is the same request.
 * What is not safe to send twice is sent once; where its answer is lost, the call fails at once and says so.
 */
export async function makeCall(
  connection: Connection,
  operation: string,
  input: object,
  { deadlineMs, signal, heard, isForNow = () => false }: Sending,
): Promise<unknown> {
  const giveUpAtMs = performance.now() + deadlineMs
  const left = (): number => Math.max(1, giveUpAtMs - performance.now())
  const told = await connection.told(left(), signal)
  if (!told) throw new CallError(notSent(operation), operation)
  const spec = told[operation]
  const safe = spec?.idempotent === true
  const request = withId(input, spec?.newId)
  let sent = false
  let renewed = false
  let defects = 0
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const number = await connection.open(left(), signal)
    if (number === undefined) throw new CallError(sent ? unknown(operation, safe) : notSent(operation), operation)
    sent = true
    const result = await send(connection, operation, request, { timeoutMs: left(), safe, signal, heard })
    if (result.ok) return result.data
    const { code, retryable } = result.error
    if (code === 'unauthenticated' && !renewed && !guesses(input) && connection.renew(number)) {
      renewed = true
      continue
    }
    // What was rate_limited has not been done, so that is safe for every operation.
    const again = (retryable && (safe || code === 'rate_limited')) || isForNow(code)
    const waitMs = Math.max(pauseMs * (0.5 + Math.random() / 2), retryAfterMs(result.error))
    if (!again || waitMs >= left() || (code === 'internal' && ++defects >= TRIES_OF_A_DEFECT)) {
      throw new CallError(result.error, operation)
    }
    await pause(waitMs, signal)
  }
}

function send(
  connection: Connection,
  operation: string,
  input: object,
  { timeoutMs, safe, signal, heard }: Omit<Sending, 'deadlineMs'> & { timeoutMs: number; safe: boolean },
): Promise<Result> {
  const { socket } = connection
  // Of a worker that was about to leave, socket.io keeps it for the next one.
  const isKept = (): boolean => socket.sendBuffer.some(({ data }) => (data as unknown[])[1] === input)
  return abortable(signal, (resolve, reject) => {
    const lose = (): void => resolve({ ok: false, error: unknown(operation, safe) })
    function look(): void {
      const refusal = connection.refused()
      if (refusal) reject(refusal)
      else if (!socket.connected && !isKept()) lose()
    }
    const timer = setTimeout(lose, timeoutMs)
    const unwatch = connection.watch(look)
    const answered = safe ? () => {} : connection.guard()
    socket.emit(operation, input, (result: Result) => {
      heard?.(result)
      resolve(result)
    })
    look()
    return () => {
      clearTimeout(timer)
      unwatch()
      answered()
      if (isKept()) socket.sendBuffer = socket.sendBuffer.filter(({ data }) => (data as unknown[])[1] !== input)
    }
  })
}

const notSent = (operation: string): PublicError =>
  lost('unavailable', `${operation} was not sent: there was no connection in time.`)

const unknown = (operation: string, safe: boolean): PublicError =>
  lost(
    'deadline_exceeded',
    `No answer to ${operation} came: whether it was done is unknown. ` +
      (safe ? 'Send it again, with the same id.' : 'It is not safe to send twice: read first.'),
    safe,
  )

/** Where a password is wrong, a fresh token does not help. */
const guesses = (input: object): boolean => Object.keys(input).some((key) => /password/i.test(key))

/** 24 hex digits that begin with the time, as the server's own ids do. */
export function newId(): string {
  const random = crypto.getRandomValues(new Uint8Array(8))
  const seconds = Math.floor(Date.now() / 1000)
  return (
    seconds.toString(16).padStart(8, '0') + Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')
  )
}

/** Always a copy: it is what tells this call's request from all others. */
const withId = (input: object, key: string | undefined): object =>
  key === undefined || (input as Record<string, unknown>)[key] !== undefined
    ? { ...input }
    : { ...input, [key]: newId() }
