import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { mismatched } from './charge.news.js'
import { CHARGE_METHODS } from './charge.kinds.js'
import { addRefund, moveCharge } from './charge.changes.js'
import type { ChargeDocument } from './charge.model.js'
import { payments } from './contract.js'
import { stepRefund } from './refund.engine.js'
import { isBeingSent, isDisputed, isWhollyRefunded } from './refund.rules.js'
import { lookAtStripe } from './refund.remote.js'

/**
 * Takes a charge and its refunds as far as they can go by themselves, from whatever state, and answers it. Nobody owns a
 * charge: a request, the same request again, an event, a webhook and recovery all take the same steps, at once if need be.
 * That is safe because each step's effect is done once whoever asks for it (payments by their own ids, Stripe by one intent
 * and by the names of refunds), and the state follows by compare-and-set.
 *
 * | crash after                 | what is there         | whoever drives it next                               |
 * | --------------------------- | --------------------- | ---------------------------------------------------- |
 * | the insert                  | pending               | takes the money                                      |
 * | the money was taken         | pending               | takes it again, which answers that it was taken      |
 * | paid, with charge:created   | paid                  | nobody: the order decides                            |
 * | accepted                    | accepted              | credits the seller                                   |
 * | the seller was credited     | accepted              | credits again, which answers that it was; settled    |
 * | refunding                   | refunding             | registers a refund of what is left                   |
 * | a refund was registered     | settled or refunding  | refund.engine.ts                                      |
 * | the last refund has ended   | settled or refunding  | refunded                                             |
 * | refunded, with its event    | refunded              | nobody: final                                        |
 */
export async function driveCharge(ctx: Context, charge: ChargeDocument): Promise<ChargeDocument> {
  for (let current = charge; ;) {
    const next = await step(ctx, current)
    if (next === null) return current
    current = next
  }
}

/** Null: there is nothing to do, but for others. */
async function step(ctx: Context, charge: ChargeDocument): Promise<ChargeDocument | null> {
  switch (charge.state) {
    case 'pending': {
      const taken = await CHARGE_METHODS[charge.method].take(ctx, charge)
      if (taken === 'waiting') return null
      if (taken === 'taken') return moveCharge(ctx, charge, { to: 'paid' })
      if ('failed' in taken) return moveCharge(ctx, charge, { to: 'failed', set: { reason: taken.failed } })
      const { received } = taken
      const set = { received, left: received, reason: 'amount_mismatch' }
      return moveCharge(ctx, charge, { to: 'refunding', set, alert: mismatched(charge, received) })
    }
    case 'accepted':
      await ctx.call(payments.pay, {
        paymentId: charge.payoutId.toHexString(),
        payeeId: charge.sellerId.toHexString(),
        amount: charge.amount,
        cause: { type: 'payout', id: charge._id.toHexString() },
      })
      return moveCharge(ctx, charge, { to: 'settled' })
    case 'paid':
    case 'settled':
    case 'refunding':
    case 'refunded':
      return stepRefunds(ctx, charge)
    case 'failed':
      return null
  }
}

async function stepRefunds(ctx: Context, charge: ChargeDocument): Promise<ChargeDocument | null> {
  const errors: unknown[] = []
  for (const refund of charge.refunds) {
    // What Stripe gave back without us may wait for its answer to what is ours (refund.remote.ts), and for no other step.
    if (charge.unseen && !isBeingSent(refund) && refund.seller !== 'crediting') continue
    try {
      const moved = await stepRefund(ctx, charge, refund)
      if (moved) return moved
    } catch (error) {
      // One that fails must not hold up the others.
      errors.push(error)
    }
  }
  const looked = charge.unseen ? await lookAtStripe(ctx, charge) : charge
  if (looked.revision !== charge.revision) return looked
  if (errors.length > 0) throw errors[0]
  if (charge.unseen) return null
  if (charge.state === 'refunding' && !isDisputed(charge) && hasRest(charge)) return giveBackTheRest(ctx, charge)
  const isOpen = charge.state === 'settled' || charge.state === 'refunding'
  return isOpen && isWhollyRefunded(charge) ? moveCharge(ctx, charge, { to: 'refunded', set: reasonOf(charge) }) : null
}

/** Also what cost nothing is given back once. */
const hasRest = ({ left, refunds }: ChargeDocument): boolean => left > 0 || refunds.length === 0

/** What no order wants. */
const giveBackTheRest = (ctx: Context, charge: ChargeDocument): Promise<ChargeDocument> =>
  addRefund(ctx, charge, (current) => {
    const { state, left: amount, method: via, reason = 'order_cancelled' } = current
    if (state !== 'refunding' || !hasRest(current)) return null
    return { amount, origin: 'order', via, state: 'sending', seller: 'none', reason }
  })

/** Of a purchase that was taken back; one that was turned away has its reason. */
function reasonOf({ state, refunds }: ChargeDocument): Partial<ChargeDocument> {
  if (state !== 'settled') return {}
  const last = refunds.filter((each) => each.state === 'refunded').at(-1)
  return last ? { reason: last.reason } : {}
}

/** Drives a charge for a request: what it leaves open becomes an error that says so, and names the charge. */
export async function driveForRequest(ctx: Context, charge: ChargeDocument): Promise<ChargeDocument> {
  try {
    return await driveCharge(ctx, charge)
  } catch (error) {
    if (!(error instanceof Refusal) || !UNSETTLED.includes(error.code)) throw error
    throw new Refusal(
      'deadline_exceeded',
      'The charge did not settle in time; it will by itself. Send the same request again to learn how.',
      { chargeId: charge._id.toHexString() },
      { cause: error },
    )
  }
}

const UNSETTLED: readonly string[] = ['deadline_exceeded', 'unavailable']
