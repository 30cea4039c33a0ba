import { define } from '../../../platform/runtime/function.js'
import { users } from '../contract.js'
import { User } from '../user.model.js'

export default define(users.checkRoom, async (ctx, { userId, amount }) => {
  const room = { _id: userId, balance: { $lte: Number.MAX_SAFE_INTEGER - amount } }
  return { fits: (await ctx.model(User).exists(room)) !== null }
})
