import { define } from '../../platform/runtime/function.js'
import { users } from './contract.js'
import { endSessions, sessionNotFound } from './session.changes.js'

export default define(users.signOut, async (ctx) => {
  const { caller } = ctx
  if (caller?.sessionId === undefined) throw sessionNotFound()
  await endSessions(ctx, caller.userId, [caller.sessionId])
  return {}
})
