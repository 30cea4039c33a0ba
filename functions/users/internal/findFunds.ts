import mongoose from 'mongoose'
import { bytesOf } from '../../../platform/database/bytes.js'
import { define } from '../../../platform/runtime/function.js'
import { users } from '../contract.js'
import { User, type UserDocument } from '../user.model.js'

type Funds = Pick<UserDocument, '_id' | 'balance' | 'pendingBookings' | 'pendingPayments'> & { bytes: number }

export default define(users.findFunds, async (ctx, { userIds }) => {
  const ids = [...new Set(userIds)].map((each) => new mongoose.Types.ObjectId(each))
  const projection = { balance: 1, pendingBookings: 1, pendingPayments: 1, ...bytesOf }
  const found = await ctx
    .model(User)
    .collection.find<Funds>({ _id: { $in: ids } }, { projection })
    .toArray()
  const byId = new Map(found.map((each) => [each._id.toHexString(), each]))
  return {
    funds: userIds.map((each) => {
      const user = byId.get(each)
      if (!user) return null
      const { balance, pendingBookings, pendingPayments = [], bytes } = user
      return { balance, undecided: pendingBookings.length + pendingPayments.length > 0, bytes }
    }),
  }
})
