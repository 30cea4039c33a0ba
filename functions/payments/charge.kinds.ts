import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { takeByStripe } from './charge.remote.js'
import type { ChargeDocument, ChargeMethodName, RefundDocument } from './charge.model.js'
import { payments } from './contract.js'
import { receivedOf } from './refund.rules.js'
import { sendByStripe, type Sent } from './refund.remote.js'

/** What a way to pay does. Each may be asked any number of times, by any number at once: it is done once. */
export interface ChargeMethod {
  take(ctx: Context, charge: ChargeDocument): Promise<Taken>
  /** Gives the buyer what a refund says; only of a charge that was taken. */
  send(ctx: Context, charge: ChargeDocument, refund: RefundDocument): Promise<Sent>
}

/**
 * waiting: for the buyer. failed: no money was taken, and for this charge none ever will be. received: another amount
 * than was asked for.
 */
export type Taken = 'taken' | 'waiting' | { failed: string } | { received: number }

export const CHARGE_METHODS: Record<ChargeMethodName, ChargeMethod> = {
  balance: { take: takeFromBalance, send: sendToBalance },
  stripe: { take: takeByStripe, send: sendByStripe },
}

async function takeFromBalance(ctx: Context, { _id, paymentId, userId, amount }: ChargeDocument): Promise<Taken> {
  try {
    await ctx.call(payments.pay, {
      paymentId: paymentId.toHexString(),
      payerId: userId.toHexString(),
      amount,
      cause: { type: 'charge', id: _id.toHexString() },
    })
    return 'taken'
  } catch (error) {
    if (!isFinalRefusal(error)) throw error
    return { failed: error.code }
  }
}

/** All of it at once takes the buyer's payment back; a part is a payment of its own, as is what was paid by Stripe. */
async function sendToBalance(ctx: Context, charge: ChargeDocument, refund: RefundDocument): Promise<Sent> {
  if (charge.method === 'balance' && refund.amount === receivedOf(charge)) {
    await ctx.call(payments.refund, { paymentId: charge.paymentId.toHexString() })
  } else {
    await ctx.call(payments.pay, {
      paymentId: refund.payoutId.toHexString(),
      payeeId: charge.userId.toHexString(),
      amount: refund.amount,
      cause: { type: 'refund', id: refund._id.toHexString() },
    })
  }
  return { state: 'refunded' }
}

/** The payment is CANCELLED: it can never take anything. */
export const isFinalRefusal = (error: unknown): error is Refusal =>
  error instanceof Refusal && ['insufficient_funds', 'payment_cancelled'].includes(error.code)
