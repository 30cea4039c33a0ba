import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { users } from './contract.js'
import { refuseWaiting, tryPassword } from './passwordTries.changes.js'
import { openSession } from './session.changes.js'
import { User } from './user.model.js'
import { USER_FIELDS } from './user.presenter.js'

export default define(users.signIn, async (ctx, { email, password, device }) => {
  refuseWaiting(ctx, email)
  const accounts = ctx.model(User)
  // A user may be long, and guesses are many: all of it is read for the one whose password is right.
  const owner = await accounts.findOne({ email }, { passwordHash: 1 }).lean()
  const matches = await tryPassword(ctx, owner, email, password)
  // With the password that was tried: a token must not outlive a change of it in between.
  const passwordHash = matches ? owner?.passwordHash : undefined
  const user =
    passwordHash !== undefined &&
    (await accounts.findOne({ email, passwordHash }, { ...USER_FIELDS, tokenVersion: 1 }).lean())
  if (!user) throw new Refusal('unauthenticated', 'E-mail address or password is wrong.')
  return openSession(ctx, user, device)
})
