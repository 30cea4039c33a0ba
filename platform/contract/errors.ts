/** Kinds of things to book say their names here, beside their contracts (functions/bookings/kinds/), and have these codes. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it is filled in where the kinds are
export interface BookableKinds {}

interface Entry {
  /** Whether the very same request, sent again later, may succeed. */
  retryable: boolean
  /** What to look at. */
  check: string
}

const KIND_ERRORS = {
  not_found: (kind: string) => `The ${kind}Id.`,
  id_reused: (kind: string) => `This ${kind}Id was sent before with another input or by another caller.`,
  retired: (kind: string) => `The ${kind} takes no new bookings.`,
  unavailable: (kind: string) =>
    `Other bookings hold the ${kind} in that period; the operation that reads it shows when.`,
}
type KindErrorCode = `${keyof BookableKinds}_${keyof typeof KIND_ERRORS}`

/**
 * The closed vocabulary of errors. A code is named after the rule that was broken; whatever a client is told is one of
 * these. `retryable` says whether the very same request, sent again later, may succeed; `check` is what to look at.
 */
const VOCABULARY = {
  invalid_input: {
    retryable: false,
    check: 'details.issues lists the failing paths of the input, each with its rule.',
  },
  unauthenticated: {
    retryable: false,
    check: 'The operation needs a token, or the token is bad, expired, or older than the last change of password.',
  },
  forbidden: {
    retryable: false,
    check: "The caller's role, or the scopes of the API key, do not allow this operation on this entity.",
  },
  unknown_operation: { retryable: false, check: 'The name of the operation; docs/operations.md lists all.' },
  rate_limited: { retryable: true, check: 'details.retryAfterMs says when to send again.' },
  quota_exceeded: {
    retryable: false,
    check:
      'So much was stored today already: details.quota names the limit (DAILY_QUOTAS), details.until when it ends.',
  },
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
  api_key_not_found: { retryable: false, check: 'The apiKeyId.' },
  api_key_id_reused: {
    retryable: false,
    check:
      'This apiKeyId was sent before with another input or by another caller, or its key is in use: it is shown once.',
  },
  mail_unavailable: { retryable: false, check: 'This system sends no mails: SMTP_URL is not set.' },
  mail_not_found: { retryable: false, check: 'The mailId, or the mail was sent already.' },
  mail_token_invalid: {
    retryable: false,
    check: 'The token of a mail is wrong, expired or used, or the account has changed since: ask for another mail.',
  },
  session_not_found: {
    retryable: false,
    check: 'The sessionId, or the session has ended already. Tokens of npm run token are of no session.',
  },
  deposit_id_reused: {
    retryable: false,
    check: 'This depositId was sent before with another input or by another caller.',
  },
  withdrawal_id_reused: {
    retryable: false,
    check: 'This withdrawalId was sent before with another input or by another caller.',
  },
  transfer_not_found: {
    retryable: false,
    check: 'The id of a deposit or a withdrawal that is pending: auditBooks lists the parked ones.',
  },
  insufficient_funds: { retryable: false, check: "The user's balance does not cover the amount." },
  balance_limit_exceeded: {
    retryable: false,
    check: 'What the user has, money held by bookings included, would pass 2^53 - 1 minor units.',
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
  too_many_bookings: {
    retryable: false,
    check: 'details.of has been booked and given back too often: what is over or taken back is forgotten after a day.',
  },
  booking_started: { retryable: false, check: 'It has begun, or left: only an admin can still book or cancel it.' },
  price_changed: {
    retryable: false,
    check: 'It costs more than the maxCost or maxPrice of the request: details.cost or details.price says how much.',
  },
  booking_not_stuck: { retryable: false, check: 'The booking is final, or moved less than stuck-after ago.' },
  out_of_order: {
    retryable: true,
    check: 'Between functions only: an event whose predecessors have not come yet. It is delivered again.',
  },
  event_not_found: { retryable: false, check: 'The eventId: delivered events are gone.' },
  event_not_dead: { retryable: false, check: 'The event is no dead letter: it is delivered, or retried, by itself.' },
  ticket_not_found: { retryable: false, check: 'The ticketId.' },
  ticket_id_reused: {
    retryable: false,
    check: 'This ticketId was sent before with another input or by another caller.',
  },
  ticket_reserved: {
    retryable: false,
    check: 'An order holds the ticket, or bought it. It may be free again when that order expires.',
  },
  too_many_orders: {
    retryable: false,
    check: 'The buyer has MAX_OPEN_ORDERS unpaid orders: pay or cancel one first.',
  },
  order_too_soon: {
    retryable: false,
    check: 'The buyer let this very ticket go a moment ago: others come first, until details.retryAfterMs has passed.',
  },
  order_not_found: { retryable: false, check: 'The orderId; other users’ orders are not found either.' },
  order_id_reused: {
    retryable: false,
    check: 'This orderId was sent before with another input or by another caller.',
  },
  order_complete: { retryable: false, check: 'The order is paid; only an admin can take it back (refundCharge).' },
  order_cancelled: { retryable: false, check: 'The order was cancelled: order the ticket again.' },
  charge_not_found: { retryable: false, check: 'The chargeId; other users’ charges are not found either.' },
  charge_id_reused: {
    retryable: false,
    check: 'This chargeId was sent before with another input or by another caller.',
  },
  charge_not_refundable: {
    retryable: false,
    check: 'Only a charge that completed its order can be taken back; details.state is where it stands.',
  },
  charge_disputed: {
    retryable: false,
    check: "The buyer's bank disputes the charge: Stripe's dashboard has it, and what becomes of the money.",
  },
  refund_not_found: { retryable: false, check: 'The refundId: getCharge lists the refunds of a charge.' },
  refund_id_reused: {
    retryable: false,
    check: 'This refundId was sent before with another input or by another caller.',
  },
  refund_exceeds_charge: {
    retryable: false,
    check: 'All refunds of a charge together are at most what was paid; details.left is what is left of it.',
  },
  refund_rejected: { retryable: false, check: 'Stripe refused the refund for good. Operators: the log has why.' },
  refund_not_resolvable: {
    retryable: false,
    check: 'Only a refund that failed, or that its seller owes, waits for an admin; details.state, details.seller.',
  },
  own_ticket: { retryable: false, check: 'A seller pays for an own ticket from the balance.' },
  amount_not_payable: {
    retryable: false,
    check: "The price is below Stripe's least amount in this currency, or above its greatest: pay from the balance.",
  },
  payment_declined: { retryable: false, check: 'Stripe declined the payment: another payment method, a new chargeId.' },
  payment_method_unavailable: { retryable: false, check: 'Operators: STRIPE_SECRET_KEY is not set.' },
  payment_not_found: { retryable: false, check: 'The paymentId.' },
  payment_id_reused: {
    retryable: false,
    check: 'Between functions only: this paymentId was used for another payment.',
  },
  payment_cancelled: {
    retryable: false,
    check: 'Between functions only: the payment was cancelled before it was decided.',
  },
  payment_not_refundable: {
    retryable: false,
    check: 'Between functions only: somebody received the payment, or it is a refund itself.',
  },
  payment_not_stuck: { retryable: false, check: 'The payment is final, or moved less than stuck-after ago.' },
  booking_not_cancellable: { retryable: false, check: 'A reversal cannot be cancelled.' },
  invitation_not_found: { retryable: false, check: 'The invitationId; invitations of others are not found either.' },
  invitation_id_reused: {
    retryable: false,
    check: 'This invitationId was sent before with another input or by another caller.',
  },
  invitation_not_open: {
    retryable: false,
    check: 'The invitation was confirmed, rejected or withdrawn, or is being confirmed; details.state says which.',
  },
  invitation_not_confirmed: {
    retryable: false,
    check: 'Only a confirmed invitation is cancelled or moved; details.state is where it stands.',
  },
  cancellation_too_late: {
    retryable: false,
    check: 'It begins too soon, or has begun: details.until is when it could be cancelled last. Admins still can.',
  },
  move_not_proposed: { retryable: false, check: 'No other period is proposed, or the proposal was answered already.' },
  confirmation_id_reused: {
    retryable: false,
    check: 'This confirmationId was sent before by another caller or for another invitation.',
  },
  period_in_past: { retryable: false, check: 'The period must begin in the future.' },
  seller_unavailable: {
    retryable: false,
    check: 'Another confirmed booking of the seller overlaps the period: getCalendar shows it to the seller.',
  },
  calendar_full: {
    retryable: false,
    check: 'A month lists 1,000 invitations of a user, open and confirmed: some must be rejected or withdrawn first.',
  },
  too_many_invitations: {
    retryable: false,
    check: 'The seller has MAX_OPEN_INVITATIONS open invitations of the buyer: withdraw one first.',
  },
  message_not_found: { retryable: false, check: 'The messageId; messages to others are not found either.' },
  message_id_reused: {
    retryable: false,
    check: 'This messageId was sent before with another input or by another caller.',
  },
  receiver_blocked: { retryable: false, check: 'The caller has blocked the other one: unblockUser first.' },
  blocked_by_receiver: { retryable: false, check: 'The other one has blocked the caller.' },
  train_not_found: { retryable: false, check: 'The trainId.' },
  train_id_reused: { retryable: false, check: 'This trainId was sent before with another input or by another caller.' },
  train_has_bookings: { retryable: false, check: 'Bookings hold seats of the train: cancel them first.' },
  seats_unavailable: {
    retryable: false,
    check: 'As the reason of a rejected booking: so many seats were not left. getTrain shows how many are.',
  },
  train_called_off: { retryable: false, check: 'The train does not go; getTrain says why.' },
  seats_sold: {
    retryable: false,
    check:
      'More seats are sold or held than the train would have, or one with a higher number: details.sold, details.highest.',
  },
  lobby_not_found: { retryable: false, check: 'The lobbyId.' },
  lobby_id_reused: { retryable: false, check: 'This lobbyId was sent before with another input or by another caller.' },
  not_in_lobby: {
    retryable: false,
    check: 'This connection is not in the lobby: joinLobby first, after each reconnect.',
  },
  removed_from_lobby: { retryable: false, check: 'An admin removed the user from the lobby.' },
  booking_not_updatable: {
    retryable: false,
    check: 'Only names can change, of as many passengers, of a train booking that is COMMITTED and not taken back.',
  },
  view_behind: {
    retryable: true,
    check: 'The view did not show the seq in `after` in time. Operators: npm run views -- status.',
  },
} as const satisfies Record<string, Entry>

export type ErrorCode = keyof typeof VOCABULARY | KindErrorCode

/** All codes; those of a kind from when its contract is loaded. */
export const ERRORS = { ...VOCABULARY } as Record<ErrorCode, Entry>

export function addKindErrors(kind: keyof BookableKinds): void {
  for (const [rule, check] of Object.entries(KIND_ERRORS)) {
    ERRORS[`${kind}_${rule}` as ErrorCode] = { retryable: false, check: check(kind) }
  }
}

/** What a client is told of a refusal. Never a stack, a cause or an internal message. */
export interface PublicError {
  code: ErrorCode
  message: string
  details?: Record<string, unknown>
  retryable: boolean
  requestId: string
}

/** `cause`: between functions alone, what an internal operation failed of. No client is ever answered by one. */
export type Result<T> = { ok: true; data: T } | { ok: false; error: PublicError; cause?: string }

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
