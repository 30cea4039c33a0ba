import mongoose from 'mongoose'
import { withEvents } from '../../../platform/events/events.js'
import { define } from '../../../platform/runtime/function.js'
import { emits, tickets } from '../contract.js'
import { changeTicket } from '../ticket.changes.js'

/**
 * Orders number the holds of each ticket, one after the other. So the newest hold wins whenever its event comes, an
 * older one, late or twice, changes nothing, and a hold that was released stays released.
 */
export default define(tickets.lockTicket, async (ctx, { payload }) => {
  const _id = new mongoose.Types.ObjectId(payload.ticketId)
  const orderId = new mongoose.Types.ObjectId(payload.id)
  const { hold, state } = payload
  await withEvents(ctx, emits, (tx) =>
    state === 'cancelled'
      ? changeTicket(
          ctx,
          tx,
          { _id, $or: [{ hold: { $lt: hold } }, { hold, orderId }] },
          { $set: { hold }, $unset: { orderId: 1 } },
        )
      : changeTicket(ctx, tx, { _id, hold: { $lt: hold } }, { $set: { hold, orderId } }),
  )
  return {}
})
