import type { CallInput } from '../../platform/contract/contract.js'
import type { calendars } from '../calendars/contract.js'
import type { UserNews } from '../feeds/contract.js'
import type { news } from './contract.js'
import { usersOf } from './conversation.rules.js'
import { presentSent } from './message.presenter.js'
import type { MessageLogEntry } from './messageLog.model.js'

/** The receiver hears of the message, the sender of how far it has come. */
export function messageNews(entry: MessageLogEntry): UserNews<typeof news>[] {
  switch (entry.kind) {
    case 'message_sent': {
      const { id: messageId, seq: after, toUserId, ...shown } = presentSent(entry)
      return [{ userId: toUserId, name: 'message:new', data: { messageId, ...shown, after } }]
    }
    case 'message_delivered':
    case 'message_read': {
      const { messageId, fromUserId, toUserId } = entry.message
      const state = entry.kind === 'message_read' ? 'read' : 'delivered'
      return [
        {
          userId: fromUserId.toHexString(),
          name: 'message:delivered',
          data: {
            messageId: messageId.toHexString(),
            toUserId: toUserId.toHexString(),
            state,
            after: entry._id,
          },
        },
      ]
    }
    case 'user_blocked':
    case 'user_unblocked':
      return []
  }
}

/** Who of the two has blocked the other, as this entry leaves it: for domains in which a block holds, too. */
export function blockAfter({
  stream,
  number,
  conversation,
}: Pick<MessageLogEntry, 'stream' | 'number' | 'conversation'>): CallInput<typeof calendars.copyBlock> {
  const userIds = [...usersOf(stream)]
  return { userIds, blockedBy: userIds.filter((_, side) => conversation.blocked[side]), number }
}

export const saysBlock = ({ kind }: Pick<MessageLogEntry, 'kind'>): boolean =>
  kind === 'user_blocked' || kind === 'user_unblocked'
