import mongoose from 'mongoose'
import type { z } from 'zod'
import { Refusal } from '../../platform/contract/errors.js'
import { saveCopy } from '../../platform/events/copies.js'
import type { Context } from '../../platform/runtime/function.js'
import { long } from '../../platform/database/long.js'
import { orders, type orderNews } from '../orders/contract.js'
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
