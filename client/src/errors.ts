import type { ErrorCode, Operations } from './operations.js'

/** An error as the server sends it. */
export interface PublicError {
  code: ErrorCode
  message: string
  details?: Record<string, unknown>
  retryable: boolean
  requestId: string
}

/** A refusal, as the server worded it; docs/errors.md says what to check for each code. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: ErrorCode
  readonly details: Record<string, unknown> | undefined
  /** Whether the very same call, made again later, may succeed. */
  readonly retryable: boolean
  /** What operators find the request by; empty where none reached the server. */
  readonly requestId: string

  constructor({ code, message, details, retryable, requestId }: PublicError) {
    super(message)
    this.code = code
    this.details = details
    this.retryable = retryable
    this.requestId = requestId
  }
}

/** The refusals that are an operation's own, as its contract lists them. */
export type RefusalOf<N extends keyof Operations> = Operations[N]['errors']

/** What happened on this side: no answer came, or none will. */
export const lost = (code: 'unavailable' | 'deadline_exceeded', message: string, retryable = true): PublicError => ({
  code,
  message,
  retryable,
  requestId: '',
})

export const retryAfterMs = ({ details }: PublicError): number =>
  typeof details?.['retryAfterMs'] === 'number' ? details['retryAfterMs'] : 0
