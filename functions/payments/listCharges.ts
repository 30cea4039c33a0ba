import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { pageOf } from '../../platform/runtime/pages.js'
import { Charge } from './charge.model.js'
import { presentCharge, viewerOf } from './charge.presenter.js'
import { payments } from './contract.js'

const { ObjectId } = mongoose.Types

export default define(payments.listCharges, async (ctx, { userId, orderId, attention, limit, cursor }) => {
  const isUser = ctx.caller?.role === 'user'
  if (isUser && userId !== undefined && userId !== ctx.caller?.userId) {
    throw new Refusal('forbidden', "Only admins list others' charges.")
  }
  if (isUser && attention) throw new Refusal('forbidden', 'Only admins list what waits for them.')
  const owner = isUser ? ctx.caller?.userId : userId
  const { documents, nextCursor } = await pageOf(
    ctx.model(Charge),
    {
      ...(owner && { userId: new ObjectId(owner) }),
      ...(orderId && { orderId: new ObjectId(orderId) }),
      ...(attention && { attention }),
    },
    { limit, cursor },
    'newestFirst',
  )
  return { items: documents.map((each) => presentCharge(each, viewerOf(ctx))), nextCursor }
})
