import { define } from '../../platform/runtime/function.js'
import { requestOf } from '../../platform/runtime/requests.js'
import { users } from './contract.js'
import { rememberAddress, tryPassword } from './passwordTries.changes.js'
import { openSession } from './session.changes.js'
import { insertUserOnce } from './user.changes.js'

export default define(users.signUp, async (ctx, { password, device, ...input }) => {
  const name = input.name ?? input.email.slice(0, input.email.indexOf('@'))
  const user = await insertUserOnce(
    ctx,
    { ...input, name, password, role: 'user' },
    requestOf(ctx, input, 'anonymous'),
    // Always the present password: a session is never opened with one that was changed since.
    (earlier) => tryPassword(ctx, earlier, input.email, password),
  )
  await rememberAddress(ctx, user)
  return openSession(ctx, user, device)
})
