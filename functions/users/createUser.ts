import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { verifyPassword } from '../../platform/runtime/passwords.js'
import { requestOf } from '../../platform/runtime/requests.js'
import { users } from './contract.js'
import { insertUserOnce } from './user.changes.js'
import { presentUser } from './user.presenter.js'

export default define(users.createUser, async (ctx, { password, ...input }) => {
  if (input.role === 'admin' && ctx.caller?.apiKeyId !== undefined) {
    throw new Refusal('forbidden', 'API keys make no admins.')
  }
  const user = await insertUserOnce(
    ctx,
    { ...input, password },
    requestOf(ctx, { ...input, hasPassword: password !== undefined }),
    // Once it was changed, nobody can tell what the first one was; nothing is opened by answering the user again.
    async (earlier) =>
      password === undefined || earlier.tokenVersion > 0 || verifyPassword(earlier.passwordHash, password),
  )
  return presentUser(user)
})
