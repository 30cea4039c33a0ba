import mongoose from 'mongoose'
import { Refusal } from '../../../platform/contract/errors.js'
import { define } from '../../../platform/runtime/function.js'
import { settling } from '../../../protocol/request.js'
import { payments } from '../contract.js'
import { paymentEngine } from '../payment.engine.js'

export default define(payments.refund, async (ctx, { paymentId }) => {
  const engine = ctx.use(paymentEngine)
  return settling(ctx, 'payment', paymentId, async () => {
    const found = await engine.read(new mongoose.Types.ObjectId(paymentId))
    if (!found) throw new Refusal('payment_not_found', `There is no payment ${paymentId}.`)
    // What was received may be spent: taking it back is a payment the other way, which the payee's balance may refuse.
    if (found.payeeId || found.reverses) {
      throw new Refusal('payment_not_refundable', 'The payment has a payee, or is a refund itself.')
    }
    const { booking, reversal } = await engine.cancel(found._id, {
      by: 'refund',
      reason: 'refunded',
      deadlineAt: ctx.deadlineAt,
    })
    return {
      state: booking.state === 'CANCELLED' ? 'CANCELLED' : 'COMMITTED',
      ...(reversal && { reversalId: reversal._id.toHexString() }),
    }
  })
})
