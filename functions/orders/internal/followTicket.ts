import mongoose from 'mongoose'
import { applyCopy } from '../../../platform/events/copies.js'
import { withEvents } from '../../../platform/events/events.js'
import { define } from '../../../platform/runtime/function.js'
import { emits, orders } from '../contract.js'
import { moveOrder } from '../order.changes.js'
import { copiedFields } from '../ticketCopy.access.js'
import { TicketCopy } from '../ticketCopy.model.js'

export default define(orders.followTicket, async (ctx, event) => {
  const { payload, type } = event
  await applyCopy(ctx.model(TicketCopy), event, copiedFields(payload), { creates: type === 'ticket:created' })
  // Also where the copy had seen it before: a copy that was fetched is ahead of the events. The state alone decides.
  const { orderId } = payload
  if (orderId !== undefined) {
    await withEvents(ctx, emits, (tx) =>
      moveOrder(ctx, tx, { id: new mongoose.Types.ObjectId(orderId), to: 'awaiting_payment' }),
    )
  }
  return {}
})
