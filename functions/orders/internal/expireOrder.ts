import mongoose from 'mongoose'
import { withEvents } from '../../../platform/events/events.js'
import { define } from '../../../platform/runtime/function.js'
import { emits, orders } from '../contract.js'
import { moveOrder } from '../order.changes.js'

export default define(orders.expireOrder, async (ctx, { payload }) => {
  await withEvents(ctx, emits, (tx) =>
    moveOrder(ctx, tx, {
      id: new mongoose.Types.ObjectId(payload.orderId),
      // A timer that comes late or twice finds it paid, or cancelled.
      guard: { state: { $ne: 'complete' } },
      to: 'cancelled',
      set: { reason: 'expired' },
    }),
  )
  return {}
})
