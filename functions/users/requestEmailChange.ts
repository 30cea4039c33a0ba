import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { users } from './contract.js'
import { takeMail } from './mail.changes.js'
import { tryPassword } from './passwordTries.changes.js'
import { User } from './user.model.js'

export default define(users.requestEmailChange, async (ctx, { mailId, email, password }) => {
  if (!ctx.caller) throw new Refusal('unauthenticated', 'Only a user changes their own e-mail address.')
  const userId = new mongoose.Types.ObjectId(ctx.caller.userId)
  const known = await ctx.model(User).findById(userId, { email: 1, passwordHash: 1 }).lean()
  // A stolen session must not become a stolen account.
  if (!known || !(await tryPassword(ctx, known, known.email, password))) {
    throw new Refusal('unauthenticated', "Changing one's own e-mail address needs the password.")
  }

  await takeMail(ctx, { kind: 'confirm_email', mailId, to: email, userId })
  return {}
})
