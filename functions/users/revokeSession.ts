import { define } from '../../platform/runtime/function.js'
import { users } from './contract.js'
import { endSessions, sessionNotFound } from './session.changes.js'
import { Session } from './session.model.js'

export default define(users.revokeSession, async (ctx, { sessionId }) => {
  const { caller } = ctx
  const own = caller?.role === 'user' ? { userId: caller.userId } : {}
  const session = await ctx
    .model(Session)
    .findOne({ _id: sessionId, ...own }, { userId: 1 })
    .lean()
  if (!session) throw sessionNotFound()
  await endSessions(ctx, session.userId, [session._id])
  return {}
})
