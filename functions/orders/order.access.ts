import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { Order, type OrderDocument } from './order.model.js'

/** The order, if the caller may see it: others' orders are not found, so that ids tell nothing. */
export async function visibleOrder(ctx: Context, orderId: string): Promise<OrderDocument> {
  const order = await ctx.model(Order).findById(orderId).lean()
  if (!order || (ctx.caller?.role === 'user' && !order.userId.equals(ctx.caller.userId))) {
    throw new Refusal('order_not_found', `There is no order ${orderId}.`)
  }
  return order
}
