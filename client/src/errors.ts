import type { ErrorCode, Operations } from './operations.js'

/** An error as the server sends it. */
export interface PublicError {
  code: ErrorCode
  message: string
  details?: Record<string, unknown>
  retryable: boolean
  requestId: string
}

/** The refusals that are an operation's own, as its contract lists them. */
export type RefusalOf<N extends keyof Operations> = Operations[N]['errors']

/** What any operation may be refused with, besides its own. */
export type CommonCode = Extract<
  ErrorCode,
  | 'unknown_operation'
  | 'rate_limited'
  | 'unauthenticated'
  | 'forbidden'
  | 'invalid_input'
  | 'deadline_exceeded'
  | 'unavailable'
  | 'internal'
>

/** A refusal, as the server worded it; docs/errors.md says what to check for each code. */
export class CallError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'CallError'
  readonly code: C
  readonly details: Record<string, unknown> | undefined
  /** Whether the very same call, made again later, may succeed. */
  readonly retryable: boolean
  /** What operators find the request by; empty where none reached the server. */
  readonly requestId: string
  /** What was called; undefined where the connection itself was refused. */
  readonly operation: string | undefined

  constructor({ code, message, details, retryable, requestId }: PublicError, operation?: string) {
    super(message)
    this.code = code as C
    this.details = details
    this.retryable = retryable
    this.requestId = requestId
    this.operation = operation
  }
}

/**
 * Whether an error is a refusal of this operation. Its `code` is then one of the operation's own and the common ones, so
 * that a `switch` over it is complete.
 */
export const isRefusal = <N extends keyof Operations>(
  error: unknown,
  operation: N,
): error is CallError<RefusalOf<N> | CommonCode> => error instanceof CallError && error.operation === operation

/** What happened on this side: no answer came, or none will. */
export const lost = (
  code: 'unavailable' | 'deadline_exceeded' | 'unauthenticated',
  message: string,
  retryable = true,
): PublicError => ({ code, message, retryable, requestId: '' })

export const retryAfterMs = ({ details }: PublicError): number =>
  typeof details?.['retryAfterMs'] === 'number' ? details['retryAfterMs'] : 0

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
