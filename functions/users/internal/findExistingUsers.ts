import { define } from '../../../platform/runtime/function.js'
import { users } from '../contract.js'
import { User } from '../user.model.js'

export default define(users.findExistingUsers, async (ctx, { userIds }) => {
  const found = await ctx
    .model(User)
    .find({ _id: { $in: userIds } }, { _id: 1 })
    .lean()
  return { existing: found.map(({ _id }) => _id.toHexString()) }
})
