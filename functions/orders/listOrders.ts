import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { pageOf } from '../../platform/runtime/pages.js'
import { orders } from './contract.js'
import { Order } from './order.model.js'
import { presentOrder } from './order.presenter.js'

export default define(orders.listOrders, async (ctx, { userId, state, limit, cursor }) => {
  const isUser = ctx.caller?.role === 'user'
  if (isUser && userId !== undefined && userId !== ctx.caller?.userId) {
    throw new Refusal('forbidden', "Only admins list others' orders.")
  }
  const owner = isUser ? ctx.caller?.userId : userId
  const { documents, nextCursor } = await pageOf(
    ctx.model(Order),
    { ...(owner && { userId: new mongoose.Types.ObjectId(owner) }), ...(state && { state }) },
    { limit, cursor },
    'newestFirst',
  )
  return { items: documents.map(presentOrder), nextCursor }
})
