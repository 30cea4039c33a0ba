/**
 * The closed vocabulary of errors. A code is named after the rule that was broken; whatever a client is told is one of
 * these. `retryable` says whether the very same request, sent again later, may succeed; `check` is what to look at.
 */
export const ERRORS = {
  invalid_input: {
    retryable: false,
    check: 'details.issues lists the failing paths of the input, each with its rule.',
  },
  unauthenticated: {
    retryable: false,
    check: 'The operation needs a token, or the token is bad, expired, or older than the last change of password.',
  },
  forbidden: { retryable: false, check: "The caller's role does not allow this operation on this entity." },
  unknown_operation: { retryable: false, check: 'The name of the operation; docs/operations.md lists all.' },
  rate_limited: { retryable: true, check: 'details.retryAfterMs says when to send again.' },
  deadline_exceeded: {
    retryable: true,
    check: 'The outcome is unknown and will settle by itself. Send the same request with the same id again.',
  },
  unavailable: { retryable: true, check: 'No function host or no database answered. Operators: getStatus, pm2 ls.' },
  internal: { retryable: true, check: 'A defect. Give requestId to the operators: their log has the cause under it.' },
  version_conflict: {
    retryable: false,
    check: 'Somebody changed the entity. Read it again, then update its new version.',
  },
  email_taken: { retryable: false, check: 'Another user has this e-mail address.' },
  user_not_found: { retryable: false, check: 'The userId.' },
  user_id_reused: { retryable: false, check: 'This userId was sent before with another input or by another caller.' },
  deposit_id_reused: {
    retryable: false,
    check: 'This depositId was sent before with another input or by another caller.',
  },
  withdrawal_id_reused: {
    retryable: false,
    check: 'This withdrawalId was sent before with another input or by another caller.',
  },
  insufficient_funds: { retryable: false, check: "The user's balance does not cover the amount." },
  balance_limit_exceeded: {
    retryable: false,
    check: 'What the user has, money held by bookings included, would pass 2^53 - 1 minor units.',
  },
  car_not_found: { retryable: false, check: 'The carId.' },
  car_id_reused: { retryable: false, check: 'This carId was sent before with another input or by another caller.' },
  car_retired: { retryable: false, check: 'The car takes no new bookings.' },
  car_unavailable: {
    retryable: false,
    check: 'Another booking of the car overlaps the period: getCar shows the busy ones.',
  },
  booking_not_found: { retryable: false, check: 'The bookingId; other users’ bookings are not found either.' },
  booking_outstanding: {
    retryable: true,
    check: 'A user has one outstanding booking at a time; details.bookingId names it.',
  },
  booking_id_reused: {
    retryable: false,
    check: 'This bookingId was sent before with another input or by another caller.',
  },
  booking_state_changed: {
    retryable: false,
    check: 'Somebody else moved the booking meanwhile; details.state is where it stands. Read it again.',
  },
  booking_started: { retryable: false, check: 'The period has begun; only an admin can still cancel it.' },
  booking_not_stuck: { retryable: false, check: 'The booking is final, or moved less than stuck-after ago.' },
  booking_not_cancellable: { retryable: false, check: 'A reversal cannot be cancelled.' },
} as const satisfies Record<string, { retryable: boolean; check: string }>

export type ErrorCode = keyof typeof ERRORS

/** What a client is told of a refusal. Never a stack, a cause or an internal message. */
export interface PublicError {
  code: ErrorCode
  message: string
  details?: Record<string, unknown>
  retryable: boolean
  requestId: string
}

export type Result<T> = { ok: true; data: T } | { ok: false; error: PublicError }

/** A request that is refused with a code of the vocabulary. The message is for people and carries nothing internal. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details?: Record<string, unknown>,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }

  toPublic(requestId: string): PublicError {
    return {
      code: this.code,
      message: this.message,
      ...(this.details && { details: this.details }),
      retryable: ERRORS[this.code].retryable,
      requestId,
    }
  }
}

/** Whatever was thrown, as the envelope's error half: refusals as they are, everything else as `internal`. */
export function toPublicError(error: unknown, requestId: string): PublicError {
  const refusal = error instanceof Refusal ? error : new Refusal('internal', 'Something went wrong on our side.')
  return refusal.toPublic(requestId)
}
