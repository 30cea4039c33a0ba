import mongoose from 'mongoose'
import { withEvents } from '../../../platform/events/events.js'
import { define } from '../../../platform/runtime/function.js'
import { emits, expirations } from '../contract.js'
import { Expiration } from '../expiration.model.js'

export default define(expirations.completeExpiration, async (ctx, { orderId }) => {
  const _id = new mongoose.Types.ObjectId(orderId)
  const completed = await withEvents(ctx, emits, async (tx) => {
    const { deletedCount } = await ctx.model(Expiration).deleteOne({ _id }, { session: tx.session })
    if (deletedCount === 0) return false
    tx.emit({
      type: 'expiration:complete',
      aggregate: { type: 'expiration', id: orderId },
      version: 0,
      payload: { orderId },
    })
    return true
  })
  return { completed }
})
