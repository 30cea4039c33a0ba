import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { takeByStripe, giveBackByStripe } from './charge.remote.js'
import type { ChargeDocument } from './charge.model.js'
import { payments } from './contract.js'

/** What a way to pay does. Each may be asked any number of times, by any number at once: it is done once. */
export interface ChargeMethod {
  /** waiting: for the buyer. failed: no money was taken, and for this charge none ever will be. */
  take(ctx: Context, charge: ChargeDocument): Promise<Taken>
  /** In full; only of a charge that was taken. */
  giveBack(ctx: Context, charge: ChargeDocument): Promise<void>
}

export type Taken = 'taken' | 'waiting' | { failed: string }

export const CHARGE_METHODS: Record<ChargeDocument['method'], ChargeMethod> = {
  balance: {
    async take(ctx, { _id, paymentId, userId, amount }) {
      try {
        await ctx.call(payments.pay, {
          paymentId: paymentId.toHexString(),
          payerId: userId.toHexString(),
          amount,
          cause: { type: 'charge', id: _id.toHexString() },
        })
        return 'taken'
      } catch (error) {
        if (!(error instanceof Refusal) || !FINAL_REFUSALS.includes(error.code)) throw error
        return { failed: error.code }
      }
    },
    async giveBack(ctx, { paymentId }) {
      await ctx.call(payments.refund, { paymentId: paymentId.toHexString() })
    },
  },
  stripe: { take: takeByStripe, giveBack: giveBackByStripe },
}

/** The payment is CANCELLED: it can never take anything. */
const FINAL_REFUSALS: readonly string[] = ['insufficient_funds', 'payment_cancelled']
