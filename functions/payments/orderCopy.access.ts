import mongoose from 'mongoose'
import type { z } from 'zod'
import { Refusal } from '../../platform/contract/errors.js'
import { saveCopy } from '../../platform/events/copies.js'
import type { Context } from '../../platform/runtime/function.js'
import { long } from '../../platform/database/long.js'
import { orders, type orderNews } from '../orders/contract.js'
import { Charge, type ChargeDocument } from './charge.model.js'
import { OrderCopy, type OrderCopyDocument } from './orderCopy.model.js'

const { ObjectId } = mongoose.Types

/** What the copy of an order has of it. */
export const copiedFields = (order: z.output<typeof orderNews>) => ({
  userId: new ObjectId(order.userId),
  sellerId: new ObjectId(order.sellerId),
  ticketId: new ObjectId(order.ticketId),
  price: long(order.price),
  state: order.state,
  reason: order.reason ?? null,
  chargeId: order.chargeId === undefined ? null : new ObjectId(order.chargeId),
})

/**
 * The copy of an order that the caller may see; one that has not come yet is fetched from the orders' domain, for a
 * charge may follow right after its order. Throws `order_not_found`.
 */
export async function visibleOrderCopy(ctx: Context, orderId: string): Promise<OrderCopyDocument> {
  const model = ctx.model(OrderCopy)
  let copy = await model.findById(orderId).lean()
  if (!copy) {
    const fetched = await ctx.call(orders.copyOrder, { orderId })
    await saveCopy(model, fetched, copiedFields(fetched))
    copy = await model.findById(orderId).lean()
  }
  if (!copy || (ctx.caller?.role === 'user' && !copy.userId.equals(ctx.caller.userId))) {
    throw new Refusal('order_not_found', `There is no order ${orderId}.`)
  }
  return copy
}

/** Why charges of an order that its buyer has not confirmed are given up: nobody waits for them any more. Null: not yet. */
export function whyGivenUp({ state, reason }: { state: string; reason?: string | null | undefined }): string | null {
  if (state === 'complete') return 'order_complete'
  if (state !== 'cancelled') return null
  return reason === 'expired' ? 'order_expired' : 'order_cancelled'
}

/**
 * A charge that came to its order after the order had ended, so that no event told it so. What the buyer pays at once, and
 * what is paid by the time that its intent is cancelled, the order decides.
 */
export async function giveUpOrphan(ctx: Context, charge: ChargeDocument): Promise<ChargeDocument> {
  if (charge.state !== 'pending' || charge.method !== 'stripe' || charge.abandoned !== undefined) return charge
  const order = await ctx.model(OrderCopy).findById(charge.orderId).lean()
  const abandoned = order && whyGivenUp(order)
  if (!abandoned) return charge
  await ctx.model(Charge).updateOne({ _id: charge._id, state: 'pending', abandoned: null }, { $set: { abandoned } })
  return { ...charge, abandoned }
}
