import type Stripe from 'stripe'
import type { Context } from '../../platform/runtime/function.js'
import { addRefund, markSeen, moveRefund } from './charge.changes.js'
import { disputeOpened, refundFailed } from './charge.news.js'
import type { ChargeDocument, RefundDocument } from './charge.model.js'
import { isBeingSent } from './refund.rules.js'
import { asking, hasCode, isDefiniteNo, requireStripe } from './stripe.remote.js'
import { disputeMeaning, refundMeaning } from './stripe.states.js'

/** What became of a refund that was sent. rejected: a definite no; nothing was given back by it, and nothing ever will. */
export type Sent =
  | { state: 'refunded' | 'pending' | 'failed'; stripeId?: string; stripeStatus?: string }
  | { rejected: 'charge_disputed' | 'refund_exceeds_charge' | 'refund_rejected'; why: string }

/**
 * Has Stripe give a refund back, once: it looks first, since Stripe keeps idempotency keys for a day only; two who look at
 * once are kept apart by the key.
 */
export const sendByStripe = (ctx: Context, charge: ChargeDocument, refund: RefundDocument): Promise<Sent> =>
  asking(async () => {
    const stripe = requireStripe(ctx)
    const intentId = intentIdOf(charge)
    const name = { refundId: refund._id.toHexString(), attempt: String(refund.attempt) }
    let made: Stripe.Refund | undefined
    for await (const each of stripe.refunds.list({ payment_intent: intentId, limit: 100 }))
      if (isNamed(each, name)) made = each
    try {
      made ??= await stripe.refunds.create(
        {
          payment_intent: intentId,
          amount: refund.amount,
          metadata: { chargeId: charge._id.toHexString(), ...name },
        },
        { idempotencyKey: `refund:${name.refundId}:${name.attempt}` },
      )
    } catch (error) {
      if (!isDefiniteNo(error)) throw error
      return { rejected: reasonOf(error), why: error.code ?? error.message }
    }
    return { state: refundMeaning(made), ...seenAs(made) }
  })

function reasonOf(error: Stripe.errors.StripeError) {
  if (hasCode(error, 'charge_disputed')) return 'charge_disputed'
  // More than Stripe has left of it is told without a code.
  const isTooMuch =
    hasCode(error, 'charge_already_refunded') || error.message.includes('greater than unrefunded amount')
  return isTooMuch ? 'refund_exceeds_charge' : 'refund_rejected'
}

/** How Stripe's refund or dispute stands that a refund of ours is. */
export const lookByStripe = (ctx: Context, { stripeId = '', origin }: RefundDocument) =>
  asking(async () => {
    const stripe = requireStripe(ctx)
    if (origin === 'dispute') {
      const dispute = await stripe.disputes.retrieve(stripeId)
      return { state: disputeMeaning(dispute).state, stripeStatus: dispute.status }
    }
    const refund = await stripe.refunds.retrieve(stripeId)
    return { state: refundMeaning(refund), stripeStatus: seenAs(refund).stripeStatus }
  })

/**
 * Takes over what Stripe has given back, or had to, without us: refunds made in its dashboard, disputes, refunds of ours that
 * failed later. Each is known by Stripe's id, so that it counts once however often this looks; of what is not in here yet
 * the charge has at most what is left of it. What is larger than that waits for refunds of ours that Stripe has not decided:
 * it will refuse them, and then one record has all of it. Meanwhile the charge stays `unseen`.
 */
export async function lookAtStripe(ctx: Context, charge: ChargeDocument): Promise<ChargeDocument> {
  if (charge.intentId === undefined) return charge
  const found = await asking(() => movementsOf(requireStripe(ctx), charge))
  let current = charge
  for (const each of found) {
    current = await takeBack(ctx, current, each)
    current = await takeIn(ctx, current, each)
  }
  return markSeen(ctx, current, { unseen: found.some((each) => waits(current, each)) })
}

/** Money that Stripe gave back, was made to, or is asked for. */
interface Movement {
  stripeId: string
  stripeStatus: string
  amount: number
  state: RefundDocument['state']
  origin: 'stripe' | 'dispute'
  /** Whether it has left us. */
  away: boolean
  /** The refund of ours that it is. */
  named: { refundId?: string | undefined; attempt?: string | undefined }
}

async function movementsOf(stripe: Stripe, charge: ChargeDocument): Promise<Movement[]> {
  const which = { payment_intent: intentIdOf(charge), limit: 100 }
  const movements: Movement[] = []
  for await (const refund of stripe.refunds.list(which)) {
    const state = refundMeaning(refund)
    const { refundId, attempt } = refund.metadata ?? {}
    const { amount } = refund
    movements.push({
      ...seenAs(refund),
      amount,
      state,
      origin: 'stripe',
      away: state !== 'failed',
      named: { refundId, attempt },
    })
  }
  for await (const { id, amount, status } of stripe.disputes.list(which)) {
    const { state, withdrawn } = disputeMeaning({ id, status })
    movements.push({ stripeId: id, stripeStatus: status, amount, state, origin: 'dispute', away: withdrawn, named: {} })
  }
  return movements
}

const recordsOf = (charge: ChargeDocument, { stripeId, named }: Movement): RefundDocument[] =>
  charge.refunds.filter(
    (each) =>
      each.stripeId === stripeId ||
      // Of ours, and its reply has not come in yet.
      (each.state === 'sending' && each._id.toHexString() === named.refundId && String(each.attempt) === named.attempt),
  )

/** What was refunded, and has come back to us: the buyer does not have it. */
async function takeBack(ctx: Context, charge: ChargeDocument, movement: Movement): Promise<ChargeDocument> {
  if (movement.away) return charge
  let current = charge
  for (const refund of recordsOf(charge, movement).filter(({ state }) => state === 'refunded')) {
    const { stripeStatus } = movement
    current = await moveRefund(ctx, current, refund, {
      state: 'failed',
      stripeStatus,
      alert: refundFailed(current, refund, stripeStatus),
    })
  }
  return current
}

const missingOf = (charge: ChargeDocument, movement: Movement): number => {
  const records = recordsOf(charge, movement).filter((each) => each.state !== 'rejected')
  return movement.away ? movement.amount - records.reduce((sum, { amount }) => sum + amount, 0) : 0
}

/** A dispute never does: people must be told at once. */
const waits = (charge: ChargeDocument, movement: Movement): boolean =>
  movement.origin === 'stripe' && missingOf(charge, movement) > charge.left && charge.refunds.some(isBeingSent)

function takeIn(ctx: Context, charge: ChargeDocument, movement: Movement): Promise<ChargeDocument> {
  const { stripeId, stripeStatus, origin, state } = movement
  const isDispute = origin === 'dispute'
  return addRefund(ctx, charge, (current) => {
    if (waits(current, movement)) return null
    const amount = Math.max(0, Math.min(missingOf(current, movement), current.left))
    // A dispute is to be seen also where it has taken nothing, or nothing is left that it could take.
    const isKnown = recordsOf(current, movement).some((each) => each.state !== 'rejected')
    const isNews = isDispute && state === 'disputed' && !isKnown
    if (amount === 0 && !isNews) return null
    return {
      amount,
      origin,
      via: 'stripe',
      state: isDispute ? 'disputed' : 'pending',
      seller: amount > 0 ? 'debiting' : 'none',
      reason: isDispute ? 'disputed' : 'refunded_at_stripe',
      stripeId,
      stripeStatus,
      ...(isDispute && { alert: disputeOpened(current, movement.amount, stripeStatus) }),
    }
  })
}

function intentIdOf({ _id, intentId }: ChargeDocument): string {
  if (intentId === undefined) throw new Error(`The charge ${String(_id)} was paid without an intent`)
  return intentId
}

const isNamed = ({ metadata }: Stripe.Refund, { refundId, attempt }: { refundId: string; attempt: string }): boolean =>
  metadata?.['refundId'] === refundId && metadata['attempt'] === attempt

const seenAs = ({ id, status, failure_reason: why }: Stripe.Refund) => ({
  stripeId: id,
  stripeStatus: [status ?? 'unknown', why].filter(Boolean).join(': '),
})
