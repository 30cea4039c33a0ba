import type Stripe from 'stripe'
import type { RefundState } from './charge.states.js'

/**
 * Every state that Stripe's API documents for what charges deal with, and what it is to us: docs/payments.md shows the same
 * tables, and a test holds both against the installed library. A state that is in none of them (Stripe adds one) is an
 * error that recovery repeats, parks and tells of: we never guess what became of money.
 */

/** waits: for the buyer, or for Stripe. withdraw: nothing of ours makes it, so we cancel it. */
export const INTENT_STATES = {
  requires_payment_method: 'waits',
  requires_confirmation: 'waits',
  requires_action: 'waits',
  processing: 'waits',
  requires_capture: 'withdraw',
  canceled: 'failed',
  succeeded: 'taken',
} as const satisfies Record<string, 'waits' | 'withdraw' | 'failed' | 'taken'>

export const REFUND_STATUS = {
  pending: 'pending',
  requires_action: 'pending',
  succeeded: 'refunded',
  failed: 'failed',
  canceled: 'failed',
} as const satisfies Record<string, RefundState>

interface DisputeMeaning {
  /** Of the refund that stands for it. */
  state: Extract<RefundState, 'disputed' | 'refunded' | 'rejected'>
  /** Whether Stripe has taken the money from us. */
  withdrawn: boolean
}

export const DISPUTE_STATUS = {
  warning_needs_response: { state: 'disputed', withdrawn: false },
  warning_under_review: { state: 'disputed', withdrawn: false },
  warning_closed: { state: 'rejected', withdrawn: false },
  prevented: { state: 'rejected', withdrawn: false },
  needs_response: { state: 'disputed', withdrawn: true },
  under_review: { state: 'disputed', withdrawn: true },
  appeal_needs_response: { state: 'disputed', withdrawn: true },
  appeal_under_review: { state: 'disputed', withdrawn: true },
  lost: { state: 'refunded', withdrawn: true },
  won: { state: 'rejected', withdrawn: false },
} as const satisfies Record<string, DisputeMeaning>

/** What a state of Stripe's means. Throws where the table does not know it. */
function meaningOf<T>(table: Record<string, T>, what: string, state: string | null): T {
  const meaning = state === null ? undefined : table[state]
  if (meaning === undefined) throw new Error(`Stripe calls ${what} ${String(state)}, which is in no table here`)
  return meaning
}

export const intentMeaning = ({ id, status }: Pick<Stripe.PaymentIntent, 'id' | 'status'>) =>
  meaningOf<(typeof INTENT_STATES)[keyof typeof INTENT_STATES]>(INTENT_STATES, id, status)

export const refundMeaning = ({ id, status }: Pick<Stripe.Refund, 'id' | 'status'>) =>
  meaningOf<(typeof REFUND_STATUS)[keyof typeof REFUND_STATUS]>(REFUND_STATUS, id, status)

export const disputeMeaning = ({ id, status }: Pick<Stripe.Dispute, 'id' | 'status'>) =>
  meaningOf<DisputeMeaning>(DISPUTE_STATUS, id, status)
