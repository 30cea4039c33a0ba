import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { users } from './contract.js'
import { tryPassword } from './passwordTries.changes.js'
import { replacePassword } from './password.changes.js'
import { openSession } from './session.changes.js'

export default define(users.changePassword, async (ctx, { oldPassword, newPassword, device }) => {
  if (!ctx.caller) throw new Refusal('unauthenticated', 'Only a user changes their own password.')

  const user = await replacePassword(ctx, ctx.caller.userId, newPassword, async (known) => {
    if (!known || !(await tryPassword(ctx, known, known.email, oldPassword)))
      throw new Refusal('unauthenticated', 'The old password is wrong.')
    return known
  })
  return openSession(ctx, user, device)
})
