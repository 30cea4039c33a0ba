import mongoose from 'mongoose'
import type { HandlerInput } from '../../platform/contract/contract.js'
import { Refusal } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { moveRefund, visibleCharge } from './charge.changes.js'
import { driveForRequest } from './charge.engine.js'
import type { RefundDocument } from './charge.model.js'
import { presentCharge } from './charge.presenter.js'
import { payments } from './contract.js'

type How = HandlerInput<typeof payments.resolveRefund>['how']
type Change = Parameters<typeof moveRefund>[3]

export default define(payments.resolveRefund, async (ctx, { chargeId, refundId, how }) => {
  const charge = await visibleCharge(ctx, chargeId)
  const refund = charge.refunds.find(({ _id }) => _id.toHexString() === refundId)
  if (!refund) throw new Refusal('refund_not_found', `The charge has no refund ${refundId}.`)
  const change = changeFor(ctx, refund, how)
  if (!change) {
    const { state, seller } = refund
    throw new Refusal('refund_not_resolvable', `The refund is ${state}, the seller's part ${seller}.`, {
      state,
      seller,
    })
  }
  const driven = await driveForRequest(ctx, await moveRefund(ctx, charge, refund, change))
  return presentCharge(driven, 'admin')
})

/** Null: the refund is not one that this ends. */
function changeFor(ctx: Context, refund: RefundDocument, how: How): Change | null {
  const { state, seller, attempt } = refund
  switch (how) {
    // A new attempt is a new refund to Stripe; the failed one never comes to life again.
    case 'retry':
      return state === 'failed' ? { state: 'sending', attempt: attempt + 1 } : null
    case 'to_balance':
      return state === 'failed' ? { state: 'sending', attempt: attempt + 1, via: 'balance' } : null
    case 'paid_outside':
      return state === 'failed' ? { state: 'refunded', reason: how } : null
    case 'to_seller':
      if (state !== 'failed' || (seller !== 'debited' && seller !== 'owes')) return null
      return { state: 'rejected', seller: seller === 'debited' ? 'crediting' : 'none', reason: how }
    // A debit that the balance refused can never be made again: this one has an id of its own.
    case 'collect':
      return seller === 'owes' ? { seller: 'debiting', debitId: new mongoose.Types.ObjectId(ctx.newId()) } : null
    case 'waive':
      return seller === 'owes' ? { seller: 'waived' } : null
  }
}
