import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { verifyPassword } from '../../platform/runtime/passwords.js'
import { users } from './contract.js'
import { replacePassword } from './password.changes.js'
import { presentSession } from './user.presenter.js'

export default define(users.changePassword, async (ctx, { oldPassword, newPassword }) => {
  if (!ctx.caller) throw new Refusal('unauthenticated', 'Only a user changes their own password.')

  const user = await replacePassword(ctx, ctx.caller.userId, newPassword, async (known) => {
    const matches = await verifyPassword(known?.passwordHash, oldPassword)
    if (!known || !matches) throw new Refusal('unauthenticated', 'The old password is wrong.')
    return known
  })
  return presentSession(ctx, user)
})
