import { define } from '../../platform/runtime/function.js'
import { mailTokenInvalid, verifyMailToken } from '../../platform/runtime/tokens.js'
import { users } from './contract.js'
import { replacePassword } from './password.changes.js'
import { rememberAddress } from './passwordTries.changes.js'
import { openSession } from './session.changes.js'

export default define(users.resetPassword, async (ctx, { token, newPassword, device }) => {
  const claims = await verifyMailToken(token, 'reset_password', ctx.config, ctx.now())

  // The write is guarded by the version that is looked at here, and raises the token version: it happens once.
  const user = await replacePassword(ctx, claims.userId, newPassword, (known) => {
    if (known?.tokenVersion !== claims.tokenVersion || known.email !== claims.email) throw mailTokenInvalid()
    return known
  })
  // A crash before this leaves the owner among strangers, who may have to wait.
  await rememberAddress(ctx, user)
  return openSession(ctx, user, device)
})
