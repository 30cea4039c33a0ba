import { define } from '../../platform/runtime/function.js'
import { users } from './contract.js'
import { Session } from './session.model.js'
import { User } from './user.model.js'
import { assertVisible, userNotFound } from './user.access.js'

export default define(users.signOutEverywhere, async (ctx, { userId }) => {
  assertVisible(ctx, userId)
  const user = await ctx.model(User).findById(userId, { tokenVersion: 1 }).lean()
  if (!user) throw userNotFound(userId)
  const { _id, tokenVersion } = user
  // Ends all tokens and sessions at once. A crash before it leaves all of them, one after it none that works. Where another
  // one was first it matches nothing, as does one that lands late: whoever signed in since then stays so.
  await ctx
    .model(User)
    .updateOne({ _id, tokenVersion }, { $inc: { tokenVersion: 1 }, $currentDate: { accessChangedAt: true } })
  // Only room: without it MongoDB drops them when they expire.
  await ctx.model(Session).deleteMany({ userId: _id, tokenVersion: { $lte: tokenVersion } })
  return {}
})
