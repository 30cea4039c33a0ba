import type { Context } from '../../platform/runtime/function.js'
import { invalidInput } from '../../platform/runtime/invocation.js'
import { changeConversation, userOf } from './conversation.changes.js'
import { sideOf, streamOf, withSide } from './conversation.rules.js'
import { assertUser } from './receiver.access.js'

/** The whole of blockUser and unblockUser. Answers the seq of the entry that says it; 0 where nothing ever had to. */
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
  return { seq: entry?._id ?? 0 }
}
