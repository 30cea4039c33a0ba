import { define, type Context } from '../../../platform/runtime/function.js'
import { liveApiKeys } from '../apiKey.changes.js'
import { users } from '../contract.js'
import { Session } from '../session.model.js'
import { User } from '../user.model.js'

export default define(users.authenticate, async (ctx, { tokens }) => {
  const [found, live, keys] = await Promise.all([
    ctx
      .model(User)
      .find({ _id: { $in: [...new Set(tokens.map(({ userId }) => userId))] } }, { role: 1, tokenVersion: 1 })
      .lean(),
    findLive(ctx, [...new Set(tokens.flatMap(({ sessionId }) => sessionId ?? []))]),
    liveApiKeys(ctx, [...new Set(tokens.flatMap(({ apiKeyId }) => apiKeyId ?? []))]),
  ])
  const holders = new Map(found.map((user) => [user._id.toHexString(), user]))
  return {
    roles: tokens.map(({ userId, tokenVersion, sessionId, apiKeyId }) => {
      if (sessionId !== undefined && live.get(sessionId) !== userId) return null
      const holder = holders.get(userId)
      if (apiKeyId !== undefined) {
        return keys.get(apiKeyId)?.userId.toHexString() === userId ? (holder?.role ?? null) : null
      }
      return holder?.tokenVersion === tokenVersion ? holder.role : null
    }),
  }
})

/** Whose these sessions are, of those that have not ended. */
async function findLive(ctx: Context, sessionIds: string[]): Promise<Map<string, string>> {
  if (sessionIds.length === 0) return new Map()
  const sessions = await ctx
    .model(Session)
    .find({ _id: { $in: sessionIds }, expiresAt: { $gt: ctx.now() } }, { userId: 1 })
    .lean()
  return new Map(sessions.map(({ _id, userId }) => [_id.toHexString(), userId.toHexString()]))
}
