import { define } from '../../../platform/runtime/function.js'
import { users } from '../contract.js'
import { User } from '../user.model.js'

export default define(users.authenticate, async (ctx, { tokens }) => {
  const found = await ctx
    .model(User)
    .find({ _id: { $in: [...new Set(tokens.map(({ userId }) => userId))] } }, { role: 1, tokenVersion: 1 })
    .lean()
  const holders = new Map(found.map((user) => [user._id.toHexString(), user]))
  return {
    roles: tokens.map(({ userId, tokenVersion }) => {
      const holder = holders.get(userId)
      return holder?.tokenVersion === tokenVersion ? holder.role : null
    }),
  }
})
