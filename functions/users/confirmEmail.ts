import { DUPLICATE_KEY } from '../../platform/database/bulkErrors.js'
import { define } from '../../platform/runtime/function.js'
import { mailTokenInvalid, verifyMailToken } from '../../platform/runtime/tokens.js'
import { users } from './contract.js'
import { emailTaken } from './user.changes.js'
import { User } from './user.model.js'

export default define(users.confirmEmail, async (ctx, { token }) => {
  const claims = await verifyMailToken(token, 'confirm_email', ctx.config, ctx.now())
  const { userId: _id, email, newEmail = '', tokenVersion } = claims

  // One write, guarded by the old address and the token version. A crash before it leaves the old one; late or again, it
  // finds another address and changes nothing.
  const model = ctx.model(User)
  const { modifiedCount } = await model
    .updateOne({ _id, email, tokenVersion }, { $set: { email: newEmail, updatedAt: ctx.now() }, $inc: { version: 1 } })
    .catch((error: unknown) => {
      throw (error as { code?: unknown }).code === DUPLICATE_KEY ? emailTaken() : error
    })
  // The same request again, whose answer was lost, is answered the same.
  const isDone = modifiedCount === 1 || (await model.exists({ _id, email: newEmail }).readConcern('linearizable'))
  if (!isDone) throw mailTokenInvalid()
  return { email: newEmail }
})
