import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { findStuck, recoverStuck, stuckSince } from '../../protocol/recovery.js'
import { isFinal } from '../../protocol/states.js'
import { payments } from './contract.js'
import { paymentEngine } from './payment.engine.js'
import type { PaymentDocument } from './payment.model.js'

export default define(payments.recoverPayments, async (ctx, { paymentId }) => {
  const engine = ctx.use(paymentEngine)
  const stuck = paymentId === undefined ? await findStuck(ctx, engine) : [await oneStuck(ctx, paymentId)]
  return recoverStuck(ctx, {
    engine,
    entity: 'payment',
    stuck,
    ...(paymentId !== undefined && { askedBy: 'recoverPayments' }),
  })
})

async function oneStuck(ctx: Context, paymentId: string): Promise<PaymentDocument> {
  const payment = await ctx.use(paymentEngine).read(new mongoose.Types.ObjectId(paymentId))
  if (!payment) throw new Refusal('payment_not_found', `There is no payment ${paymentId}.`)
  if (isFinal(payment.state) || !(payment.parked || payment.lastModified < stuckSince(ctx))) {
    throw new Refusal('payment_not_stuck', 'The payment is final, or moved only just now.')
  }
  return payment
}
