import mongoose from 'mongoose'
import { withEvents } from '../../../platform/events/events.js'
import { define } from '../../../platform/runtime/function.js'
import { emits, orders } from '../contract.js'
import { moveOrder } from '../order.changes.js'

export default define(orders.undoOrder, async (ctx, { payload }) => {
  await withEvents(ctx, emits, (tx) =>
    moveOrder(ctx, tx, {
      id: new mongoose.Types.ObjectId(payload.orderId),
      // The refund of a charge that it turned away is none of its concern.
      guard: { state: 'complete', chargeId: new mongoose.Types.ObjectId(payload.id) },
      to: 'cancelled',
      set: { reason: 'refunded' },
    }),
  )
  return {}
})
