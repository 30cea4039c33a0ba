import { define } from '../../platform/function.js'
import { users } from './contract.js'
import { assertVisible, userNotFound } from './user.access.js'
import { User } from './user.model.js'
import { presentUser, USER_FIELDS } from './user.presenter.js'

export default define(users.getUser, async (ctx, { userId }) => {
  assertVisible(ctx, userId)

  const user = await ctx.model(User).findById(userId, USER_FIELDS).lean()
  if (!user) throw userNotFound(userId)
  return presentUser(user)
})
