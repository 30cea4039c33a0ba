import { define } from '../../platform/runtime/function.js'
import { users } from './contract.js'
import { userNotFound } from './user.access.js'
import { replacePassword } from './password.changes.js'
import { presentUser } from './user.presenter.js'

export default define(users.setPassword, async (ctx, { userId, newPassword }) => {
  const user = await replacePassword(ctx, userId, newPassword, (known) => {
    if (!known) throw userNotFound(userId)
    return known
  })
  return presentUser(user)
})
