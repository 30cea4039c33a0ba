import { define } from '../../platform/runtime/function.js'
import { users } from './contract.js'
import { readRefreshToken } from './refreshToken.rules.js'
import { rotateSession, sessionEnded } from './session.changes.js'
import { Session } from './session.model.js'
import { User } from './user.model.js'
import { USER_FIELDS } from './user.presenter.js'

export default define(users.refreshSession, async (ctx, { refreshToken, refreshId }) => {
  const given = readRefreshToken(refreshToken)
  const session = await ctx.model(Session).findById(given.sessionId).lean()
  if (!session || session.expiresAt <= ctx.now()) throw sessionEnded()
  const { userId: _id, tokenVersion } = session
  const user = await ctx
    .model(User)
    .findOne({ _id, tokenVersion }, { ...USER_FIELDS, tokenVersion: 1 })
    .lean()
  if (!user) throw sessionEnded()
  return rotateSession(ctx, { given, user, refreshId })
})
