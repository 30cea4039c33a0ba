import { define } from '../../platform/runtime/function.js'
import { messages } from './contract.js'
import { changeConversation, receivedMessage } from './conversation.changes.js'
import { messageLog, referenceOf } from './messageLog.model.js'

export default define(messages.acknowledgeMessage, async (ctx, { messageId }) => {
  const sent = await receivedMessage(ctx, messageId)
  const key = `delivered:${messageId}`
  // Every socket of the receiver says so, and again after each replay.
  const earlier = await ctx.use(messageLog).byKey(key)
  if (earlier) return { seq: earlier._id }
  const message = referenceOf(sent.message)
  const delivered = await changeConversation(ctx, sent.stream, (conversation) => ({
    kind: 'message_delivered',
    key,
    conversation,
    message,
  }))
  return { seq: delivered?._id ?? sent._id }
})
