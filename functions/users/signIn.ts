import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { users } from './contract.js'
import { tryPassword } from './passwordTries.changes.js'
import { User } from './user.model.js'
import { presentSession, USER_FIELDS } from './user.presenter.js'

export default define(users.signIn, async (ctx, { email, password }) => {
  const user = await ctx
    .model(User)
    .findOne({ email }, { ...USER_FIELDS, passwordHash: 1, tokenVersion: 1 })
    .lean()
  const matches = await tryPassword(ctx, user, email, password)
  if (!user || !matches) throw new Refusal('unauthenticated', 'E-mail address or password is wrong.')
  return presentSession(ctx, user)
})
