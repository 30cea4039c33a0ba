import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { pageOf } from '../../platform/runtime/pages.js'
import { presentCharge } from './charge.changes.js'
import { Charge } from './charge.model.js'
import { payments } from './contract.js'

const { ObjectId } = mongoose.Types

export default define(payments.listCharges, async (ctx, { userId, orderId, limit, cursor }) => {
  const isUser = ctx.caller?.role === 'user'
  if (isUser && userId !== undefined && userId !== ctx.caller?.userId) {
    throw new Refusal('forbidden', "Only admins list others' charges.")
  }
  const owner = isUser ? ctx.caller?.userId : userId
  const { documents, nextCursor } = await pageOf(
    ctx.model(Charge),
    { ...(owner && { userId: new ObjectId(owner) }), ...(orderId && { orderId: new ObjectId(orderId) }) },
    { limit, cursor },
    'newestFirst',
  )
  return { items: documents.map(presentCharge), nextCursor }
})
