import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { invalidInput } from '../../platform/runtime/invocation.js'
import { isSameRequest, requestOf, type RequestMark } from '../../platform/runtime/requests.js'
import { calendars } from '../calendars/contract.js'
import { messages } from './contract.js'
import { changeConversation, sentKey, userOf } from './conversation.changes.js'
import { messagesIn, otherSide, sideOf, streamOf, withSide } from './conversation.rules.js'
import { presentSent } from './message.presenter.js'
import { assertUser } from './receiver.access.js'
import { messageLog, type MessageLogEntry } from './messageLog.model.js'

const { ObjectId } = mongoose.Types

export default define(messages.sendMessage, async (ctx, input) => {
  const { messageId, toUserId, text, invitationId } = input
  const fromUserId = userOf(ctx)
  if (toUserId === fromUserId) {
    throw invalidInput({ issues: [{ path: ['toUserId'], message: 'must be somebody else' }] })
  }
  const request = requestOf(ctx, input)
  const stream = streamOf(fromUserId, toUserId)
  const side = sideOf(stream, fromUserId)

  try {
    await assertUser(ctx, toUserId)
    if (invitationId) await assertOfBoth(ctx, invitationId, toUserId)
    const sent = await changeConversation(ctx, stream, (conversation) => {
      if (conversation.blocked[side]) throw new Refusal('receiver_blocked', 'You have blocked this user.')
      if (conversation.blocked[otherSide(side)]) throw new Refusal('blocked_by_receiver', 'This user has blocked you.')
      return {
        kind: 'message_sent',
        key: sentKey(messageId),
        conversation: { ...conversation, sent: withSide(conversation.sent, side, conversation.sent[side] + 1) },
        message: {
          messageId: new ObjectId(messageId),
          fromUserId: new ObjectId(fromUserId),
          toUserId: new ObjectId(toUserId),
          ordinal: messagesIn(conversation) + 1,
          text,
          ...(invitationId && { invitationId: new ObjectId(invitationId) }),
        },
        request,
      }
    })
    return presentSent(sameRequest(sent, request))
  } catch (error) {
    // What no longer holds may have held when the same request came first: its outcome stands.
    const earlier = error instanceof Refusal ? await ctx.use(messageLog).byKey(sentKey(messageId)) : null
    if (!earlier) throw error
    return presentSent(sameRequest(earlier, request))
  }
})

/** The invitation is one of the sender and the receiver; to the sender alone that it is theirs is known by its owner. */
async function assertOfBoth(ctx: Context, invitationId: string, toUserId: string): Promise<void> {
  const { buyerId, sellerId } = await ctx.call(calendars.getInvitation, { invitationId })
  const parties = [buyerId, sellerId]
  if (parties.includes(toUserId) && parties.includes(userOf(ctx))) return
  throw new Refusal('invitation_not_found', `There is no invitation ${invitationId} of the two of you.`)
}

function sameRequest(entry: MessageLogEntry | null, request: RequestMark) {
  if (entry?.kind === 'message_sent' && isSameRequest(entry.request, request)) return entry
  throw new Refusal('message_id_reused', 'This messageId was sent before with another input or by another caller.')
}
