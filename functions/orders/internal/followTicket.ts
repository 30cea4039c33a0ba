import mongoose from 'mongoose'
import { withEvents } from '../../../platform/events/events.js'
import { define } from '../../../platform/runtime/function.js'
import { emits, orders } from '../contract.js'
import { moveOrder } from '../order.changes.js'

export default define(orders.followTicket, async (ctx, { payload: { orderId } }) => {
  if (orderId !== undefined) {
    await withEvents(ctx, emits, (tx) =>
      moveOrder(ctx, tx, { id: new mongoose.Types.ObjectId(orderId), to: 'awaiting_payment' }),
    )
  }
  return {}
})
