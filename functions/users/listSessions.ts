import { define } from '../../platform/runtime/function.js'
import { pageOf } from '../../platform/runtime/pages.js'
import { users } from './contract.js'
import { Session } from './session.model.js'
import { presentSessionInfo } from './session.presenter.js'
import { User } from './user.model.js'
import { assertVisible, userNotFound } from './user.access.js'

export default define(users.listSessions, async (ctx, { userId, limit, cursor }) => {
  assertVisible(ctx, userId)
  const user = await ctx.model(User).findById(userId, { tokenVersion: 1 }).lean()
  if (!user) throw userNotFound(userId)
  const { documents, nextCursor } = await pageOf(
    ctx.model(Session),
    { userId: user._id, tokenVersion: user.tokenVersion, expiresAt: { $gt: ctx.now() } },
    { limit, cursor },
    'newestFirst',
  )
  return { items: documents.map((each) => presentSessionInfo(each, ctx)), nextCursor }
})
