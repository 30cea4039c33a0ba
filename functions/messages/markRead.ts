import { define } from '../../platform/runtime/function.js'
import { messages } from './contract.js'
import { changeConversation, receivedMessage, userOf } from './conversation.changes.js'
import { referenceOf } from './messageLog.model.js'
import { otherSide, sideOf, withSide } from './conversation.rules.js'

export default define(messages.markRead, async (ctx, { messageId }) => {
  const sent = await receivedMessage(ctx, messageId)
  const message = referenceOf(sent.message)
  const side = sideOf(sent.stream, userOf(ctx))
  const sender = otherSide(side)
  const read = await changeConversation(ctx, sent.stream, (conversation) => {
    if (conversation.readUpTo[side] >= message.ordinal) return null
    return {
      kind: 'message_read',
      conversation: { ...conversation, readUpTo: withSide(conversation.readUpTo, side, message.ordinal) },
      message,
      unread: conversation.sent[sender] - sent.conversation.sent[sender],
    }
  })
  return { seq: read?._id ?? sent._id }
})
