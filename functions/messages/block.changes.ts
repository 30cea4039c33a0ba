import type { Context } from '../../platform/runtime/function.js'
import { invalidInput } from '../../platform/runtime/invocation.js'
import { calendars } from '../calendars/contract.js'
import { changeConversation, userOf } from './conversation.changes.js'
import { sideOf, streamOf, withSide } from './conversation.rules.js'
import { blockAfter } from './message.news.js'
import { assertUser } from './receiver.access.js'

/**
 * The whole of blockUser and unblockUser. Answers the seq of the entry that says it; 0 where nothing ever had to. It is
 * answered when it holds in the calendars, too; where this dies before, the follower of the log tells them.
 */
export async function setBlocked(ctx: Context, userId: string, blocked: boolean): Promise<{ seq: number }> {
  const self = userOf(ctx)
  if (userId === self) throw invalidInput({ issues: [{ path: ['userId'], message: 'must be somebody else' }] })
  await assertUser(ctx, userId)
  const stream = streamOf(self, userId)
  const side = sideOf(stream, self)
  const entry = await changeConversation(ctx, stream, (conversation) =>
    conversation.blocked[side] === blocked
      ? null
      : {
          kind: blocked ? 'user_blocked' : 'user_unblocked',
          conversation: { ...conversation, blocked: withSide(conversation.blocked, side, blocked) },
        },
  )
  if (!entry) return { seq: 0 }
  await ctx.call(calendars.copyBlock, blockAfter(entry))
  return { seq: entry._id }
}
