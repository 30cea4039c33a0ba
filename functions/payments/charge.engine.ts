import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { CHARGE_METHODS } from './charge.kinds.js'
import { moveCharge } from './charge.changes.js'
import type { ChargeDocument } from './charge.model.js'
import { payments } from './contract.js'

/**
 * Takes a charge as far as it can go by itself, from whatever state, and answers it. Nobody owns a charge: a request, the
 * same request again, an event, a webhook and recovery all take the same steps, at once if need be. That is safe because
 * each step's effect is done once whoever asks for it (payments by their own ids, Stripe by one intent), and the state
 * follows by compare-and-set.
 *
 * | crash after                 | what is there         | whoever drives it next                               |
 * | --------------------------- | --------------------- | ---------------------------------------------------- |
 * | the insert                  | pending               | takes the money                                      |
 * | the money was taken         | pending               | takes it again, which answers that it was taken      |
 * | paid, with charge:created   | paid                  | nobody: the order decides                            |
 * | accepted                    | accepted              | credits the seller                                   |
 * | the seller was credited     | accepted              | credits again, which answers that it was; settled    |
 * | reclaiming                  | reclaiming            | debits the seller                                    |
 * | the seller was debited      | reclaiming            | debits again, which answers the same; refunding      |
 * | refunding                   | refunding             | gives back                                           |
 * | the buyer was given back    | refunding             | gives back again, which answers that it was          |
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
      return moveCharge(ctx, charge, { to: 'failed', set: { reason: taken.failed } })
    }
    case 'accepted':
      await ctx.call(payments.pay, {
        paymentId: charge.payoutId.toHexString(),
        payeeId: charge.sellerId.toHexString(),
        amount: charge.amount,
        cause: { type: 'payout', id: charge._id.toHexString() },
      })
      return moveCharge(ctx, charge, { to: 'settled' })
    case 'reclaiming':
      return reclaim(ctx, charge)
    case 'refunding':
      await CHARGE_METHODS[charge.method].giveBack(ctx, charge)
      return moveCharge(ctx, charge, { to: 'refunded' })
    case 'paid':
    case 'settled':
    case 'failed':
    case 'refunded':
      return null
  }
}

/** From the seller, who may have spent it: then it stays settled, and the admin is told. */
async function reclaim(ctx: Context, charge: ChargeDocument): Promise<ChargeDocument> {
  const { reclaimId } = charge
  if (!reclaimId) throw new Error(`The charge ${String(charge._id)} is reclaiming without an id for it`)
  // Of this attempt: a later one has an id of its own.
  const guard = { reclaimId }
  try {
    await ctx.call(payments.pay, {
      paymentId: reclaimId.toHexString(),
      payerId: charge.sellerId.toHexString(),
      amount: charge.amount,
      cause: { type: 'reclaim', id: charge._id.toHexString() },
    })
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'insufficient_funds') throw error
    return moveCharge(ctx, charge, { to: 'settled', guard, unset: { reclaimId: 1, reason: 1 } })
  }
  return moveCharge(ctx, charge, { to: 'refunding', guard })
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
