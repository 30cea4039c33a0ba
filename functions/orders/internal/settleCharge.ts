import mongoose, { type Types } from 'mongoose'
import { DUPLICATE_KEY } from '../../../platform/database/bulkErrors.js'
import { Refusal } from '../../../platform/contract/errors.js'
import { withEvents } from '../../../platform/events/events.js'
import { define, type Context } from '../../../platform/runtime/function.js'
import { payments } from '../../payments/contract.js'
import { emits, orders } from '../contract.js'
import { holdsOf, moveOrder, type OrderTransaction } from '../order.changes.js'
import { Order, type OrderDocument } from '../order.model.js'

const { ObjectId } = mongoose.Types
const ATTEMPTS = 5

/**
 * Money that arrived for an order is decided here, once: it completes the order, or it goes back. Either is in the order
 * before anybody acts on it (`chargeId`, `refusedCharges`), so that the same event again answers the same.
 *
 * | crash after              | what is there                  | the event comes again                                   |
 * | ------------------------ | ------------------------------ | ------------------------------------------------------- |
 * | (before)                 | the money, held                | decides                                                 |
 * | the order is complete    | order:completed in the outbox  | finds its own chargeId: nothing to do                   |
 * | the charge is refused    | the reason, no refund yet      | finds the refusal, and asks for the refund              |
 * | the refund was asked for | a charge that is refunding     | asks again: a refund is done once                       |
 */
export default define(orders.settleCharge, async (ctx, { payload }) => {
  const chargeId = new ObjectId(payload.id)
  const orderId = new ObjectId(payload.orderId)
  const refused = await decide(ctx, orderId, chargeId)
  if (refused !== null) await ctx.call(payments.returnCharge, { chargeId: payload.id, reason: refused })
  return {}
})

type RefusalReason = 'order_complete' | 'order_cancelled' | 'ticket_taken'

/** Null: the charge completes the order. */
async function decide(ctx: Context, orderId: Types.ObjectId, chargeId: Types.ObjectId): Promise<string | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await withEvents(ctx, emits, (tx) => decideWithin(ctx, tx, orderId, chargeId))
    } catch (error) {
      // Another order has just taken the ticket, or the number of the hold: look again.
      if ((error as { code?: unknown }).code !== DUPLICATE_KEY || attempt === ATTEMPTS) throw error
    }
  }
}

/** In a transaction: what it reads of the order is what it changes. */
async function decideWithin(
  ctx: Context,
  tx: OrderTransaction,
  id: Types.ObjectId,
  chargeId: Types.ObjectId,
): Promise<string | null> {
  const order = await ctx.model(Order).findById(id).session(tx.session).lean()
  if (!order) throw new Refusal('order_not_found', `There is no order ${String(id)}.`)
  if (order.chargeId?.equals(chargeId)) return null
  const decided = order.refusedCharges.find((each) => each.chargeId.equals(chargeId))
  if (decided) return decided.reason

  const reason = await obstacle(ctx, tx, order)
  if (reason === null) {
    const isLate = order.state === 'cancelled'
    const hold = isLate ? (await holdsOf(ctx, order.ticketId, tx)).next : order.hold
    const moved = await moveOrder(ctx, tx, { id, to: 'complete', set: { chargeId, hold }, unset: { reason: 1 } })
    if (moved) return null
    throw new Refusal('unavailable', 'The order has just changed.')
  }
  await ctx
    .model(Order)
    .updateOne({ _id: id }, { $push: { refusedCharges: { chargeId, reason } } }, { session: tx.session })
  return reason
}

/** Why the charge cannot complete its order. One that expired is completed late where nobody else holds its ticket. */
async function obstacle(ctx: Context, tx: OrderTransaction, order: OrderDocument): Promise<RefusalReason | null> {
  if (order.state === 'complete') return 'order_complete'
  if (order.state !== 'cancelled') return null
  if (order.reason !== 'expired') return 'order_cancelled'
  const { holder } = await holdsOf(ctx, order.ticketId, tx)
  return holder ? 'ticket_taken' : null
}
