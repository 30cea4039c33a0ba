import { define } from '../../../platform/runtime/function.js'
import { User } from '../user.model.js'
import { users } from '../contract.js'

/** Nobody has more admins than can be told one by one. */
const MAX_ADMINS = 200

export default define(users.listAdminIds, async (ctx) => {
  const admins = await ctx.model(User).find({ role: 'admin' }, { _id: 1 }).limit(MAX_ADMINS).lean()
  return { userIds: admins.map(({ _id }) => _id.toHexString()) }
})
