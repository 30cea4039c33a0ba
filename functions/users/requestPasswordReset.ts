import { define } from '../../platform/runtime/function.js'
import { users } from './contract.js'
import { takeMail } from './mail.changes.js'

export default define(users.requestPasswordReset, async (ctx, { mailId, email }) => {
  await takeMail(ctx, { kind: 'reset_password', mailId, to: email })
  return {}
})
