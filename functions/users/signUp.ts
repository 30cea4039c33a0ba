import { define } from '../../platform/runtime/function.js'
import { verifyPassword } from '../../platform/runtime/passwords.js'
import { requestOf } from '../../platform/runtime/requests.js'
import { users } from './contract.js'
import { insertUserOnce } from './user.changes.js'
import { presentSession } from './user.presenter.js'

export default define(users.signUp, async (ctx, { password, ...input }) => {
  const name = input.name ?? input.email.slice(0, input.email.indexOf('@'))
  const user = await insertUserOnce(
    ctx,
    { ...input, name, password, role: 'user' },
    requestOf(ctx, input, 'anonymous'),
    // Always the present password: a session is never opened with one that was changed since.
    (earlier) => verifyPassword(earlier.passwordHash, password),
  )
  return presentSession(ctx, user)
})
