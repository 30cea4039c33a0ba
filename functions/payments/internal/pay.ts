import mongoose from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../../../platform/contract/errors.js'
import { define, type Context } from '../../../platform/runtime/function.js'
import type { HandlerInput } from '../../../platform/contract/contract.js'
import { endOf, newEngineDocument, settling } from '../../../protocol/request.js'
import { Unknown } from '../../../protocol/store.js'
import { payments } from '../contract.js'
import { paymentEngine } from '../payment.engine.js'
import type { PaymentDocument } from '../payment.model.js'

const { ObjectId } = mongoose.Types

export default define(payments.pay, async (ctx, input) => {
  const { paymentId } = input
  const engine = ctx.use(paymentEngine)
  const asked = paymentOf(ctx, input)
  const payment = await settling(ctx, 'payment', paymentId, async () => {
    for (let waitMs = 5; ; waitMs = Math.min(2 * waitMs, 250)) {
      const created = await engine.create(asked, ctx.deadlineAt)
      if (created !== 'duplicate') return created
      const earlier = await engine.read(asked._id)
      if (earlier && !isSame(earlier, asked)) {
        throw new Refusal('payment_id_reused', 'This paymentId was used for another payment.')
      }
      if (earlier) return endOf(ctx, engine, earlier, 'pay')
      if (waitMs > ctx.remainingMs()) throw new Unknown('the payment with this id is not majority yet')
      await sleep(waitMs)
    }
  })

  if (payment.state === 'COMMITTED') return { id: paymentId, state: payment.state }
  if (payment.reason === 'insufficient_funds') {
    throw new Refusal('insufficient_funds', 'The balance does not cover the amount.', { paymentId })
  }
  throw new Refusal('payment_cancelled', 'The payment was cancelled before it was decided.', {
    paymentId,
    reason: payment.reason,
  })
})

function paymentOf(ctx: Context, { paymentId, payerId, payeeId, amount, cause }: HandlerInput<typeof payments.pay>) {
  return newEngineDocument(
    {
      _id: new ObjectId(paymentId),
      ...(payerId && { payerId: new ObjectId(payerId) }),
      ...(payeeId && { payeeId: new ObjectId(payeeId) }),
      amount,
      cause: { type: cause.type, id: new ObjectId(cause.id) },
      requestId: ctx.requestId,
    },
    ctx.now(),
  )
}

/** Only functions make payments: what they say of one is all there is to compare. */
const isSame = (one: PaymentDocument, other: PaymentDocument): boolean =>
  String(one.payerId) === String(other.payerId) &&
  String(one.payeeId) === String(other.payeeId) &&
  one.amount === other.amount &&
  one.cause.type === other.cause.type &&
  one.cause.id.equals(other.cause.id)
