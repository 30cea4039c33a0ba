import type { z } from 'zod'
import type { message, messages } from './contract.js'
import type { Output } from '../../platform/contract/contract.js'
import type { ConversationView, MessageItem } from './messageBox.model.js'
import type { MessageLogEntry } from './messageLog.model.js'

/** Entries and views as clients see them. */

export const presentSent = ({
  message: m,
  at,
  _id,
}: Extract<MessageLogEntry, { kind: 'message_sent' }>): z.output<typeof message> & { seq: number } => ({
  id: m.messageId.toHexString(),
  fromUserId: m.fromUserId.toHexString(),
  toUserId: m.toUserId.toHexString(),
  text: m.text,
  ...(m.invitationId && { invitationId: m.invitationId.toHexString() }),
  number: m.ordinal,
  sentAt: at.toISOString(),
  seq: _id,
})

/** A message as the owner of the view sees it. */
export function presentItem(
  item: MessageItem,
  { userId, withUserId, readByOther, readByUser }: ConversationView,
): Output<typeof messages.getConversation>['items'][number] {
  const byOwner = item.fromUserId.equals(userId)
  const read = item.ordinal <= (byOwner ? readByOther : readByUser)
  return {
    id: item.messageId.toHexString(),
    fromUserId: item.fromUserId.toHexString(),
    toUserId: (byOwner ? withUserId : userId).toHexString(),
    text: item.text,
    ...(item.invitationId && { invitationId: item.invitationId.toHexString() }),
    number: item.ordinal,
    sentAt: item.sentAt.toISOString(),
    state: read ? 'read' : item.deliveredAt ? 'delivered' : 'sent',
    ...(item.deliveredAt && { deliveredAt: item.deliveredAt.toISOString() }),
  }
}

export const presentConversation = ({
  withUserId,
  messages: count,
  unread,
  blocked,
  lastMessage,
  lastAt,
}: ConversationView): Output<typeof messages.listConversations>['items'][number] => ({
  withUserId: withUserId.toHexString(),
  messages: count,
  unread,
  blocked,
  ...(lastMessage && {
    lastMessage: {
      id: lastMessage.messageId.toHexString(),
      fromUserId: lastMessage.fromUserId.toHexString(),
      text: lastMessage.text,
      sentAt: lastMessage.sentAt.toISOString(),
    },
  }),
  lastAt: lastAt.toISOString(),
})
