import { newId } from '../calls.js'
import type { Data } from '../connect.js'
import {
  invalid,
  nowOf,
  readCursor,
  Refused,
  requestOf,
  writeCursor,
  type Conversation,
  type Handler,
  type MessageRecord,
  type World,
} from './world.js'

/** Messages between users. Views are up to date at once. */

const PREVIEW_CHARS = 200

const keyOf = (one: string, other: string): string => [one, other].sort().join(':')

const conversationOf = ({ conversations }: World, one: string, other: string): Conversation | undefined =>
  conversations.get(keyOf(one, other))

/** The conversation of two, with one more entry in its log. */
function written(world: World, one: string, other: string): Conversation {
  const known = conversationOf(world, one, other)
  const conversation = known ?? { messages: [], readUpTo: {}, blocked: {}, lastAt: nowOf(world), seq: 0 }
  world.conversations.set(keyOf(one, other), conversation)
  conversation.seq = ++world.seq
  return conversation
}

function assertUser({ users }: World, userId: string): void {
  if (!users.has(userId)) throw new Refused('user_not_found', `There is no user ${userId}.`)
}

const presentSent = ({ id, fromUserId, toUserId, text, number, sentAt, seq }: MessageRecord): Data<'sendMessage'> => ({
  ...{ id, fromUserId, toUserId, text, number, sentAt, seq },
})

export const sendMessage: Handler<'sendMessage'> = (world, input, { userId: fromUserId }) => {
  const { messageId: id = newId(), toUserId, text, invitationId } = input
  if (toUserId === fromUserId) throw invalid('toUserId', 'must be somebody else')
  const request = requestOf(fromUserId, input)
  const earlier = world.messages.get(id)
  if (earlier?.request === request) return presentSent(earlier)
  if (earlier) {
    throw new Refused('message_id_reused', 'This messageId was sent before with another input or by another caller.')
  }
  assertUser(world, toUserId)
  if (invitationId !== undefined) {
    throw new Refused('invitation_not_found', `There is no invitation ${invitationId} of the two of you.`)
  }
  const blocked = conversationOf(world, fromUserId, toUserId)?.blocked ?? {}
  if (blocked[fromUserId]) throw new Refused('receiver_blocked', 'You have blocked this user.')
  if (blocked[toUserId]) throw new Refused('blocked_by_receiver', 'This user has blocked you.')

  const conversation = written(world, fromUserId, toUserId)
  const { seq } = conversation
  const sentAt = nowOf(world)
  const message = { id, fromUserId, toUserId, text, number: conversation.messages.length + 1, sentAt, seq, request }
  conversation.messages.push(message)
  conversation.lastAt = sentAt
  world.messages.set(id, message)
  const { number } = message
  const told = { name: 'message:new', at: sentAt, messageId: id, fromUserId, text, number, sentAt, after: seq }
  world.feeds.append(`user:${toUserId}`, told)
  return presentSent(message)
}

function received({ messages }: World, messageId: string, userId: string): MessageRecord {
  const message = messages.get(messageId)
  if (message?.toUserId === userId) return message
  throw new Refused('message_not_found', `You received no message ${messageId}.`)
}

export const acknowledgeMessage: Handler<'acknowledgeMessage'> = (world, { messageId }, { userId }) => {
  const message = received(world, messageId, userId)
  if (message.deliveredSeq !== undefined) return { seq: message.deliveredSeq }
  const { seq } = written(world, userId, message.fromUserId)
  message.deliveredAt = nowOf(world)
  message.deliveredSeq = seq
  tellSender(world, message, 'delivered', seq)
  return { seq }
}

export const markRead: Handler<'markRead'> = (world, { messageId }, { userId }) => {
  const message = received(world, messageId, userId)
  const known = conversationOf(world, userId, message.fromUserId)
  if (known && (known.readUpTo[userId] ?? 0) >= message.number) return { seq: known.seq }
  const conversation = written(world, userId, message.fromUserId)
  conversation.readUpTo[userId] = message.number
  tellSender(world, message, 'read', conversation.seq)
  return { seq: conversation.seq }
}

function tellSender(world: World, message: MessageRecord, state: 'delivered' | 'read', after: number): void {
  const { id: messageId, fromUserId, toUserId } = message
  const told = { name: 'message:delivered', at: nowOf(world), messageId, toUserId, state, after }
  world.feeds.append(`user:${fromUserId}`, told)
}

const setBlocked =
  (blocks: boolean): Handler<'blockUser'> =>
  (world, { userId }, caller) => {
    if (userId === caller.userId) throw invalid('userId', 'must be somebody else')
    assertUser(world, userId)
    const known = conversationOf(world, caller.userId, userId)
    if ((known?.blocked[caller.userId] ?? false) === blocks) return { seq: known?.seq ?? 0 }
    const conversation = written(world, caller.userId, userId)
    conversation.blocked[caller.userId] = blocks
    return { seq: conversation.seq }
  }

export const blockUser = setBlocked(true)
export const unblockUser = setBlocked(false)

const unreadBy = ({ messages, readUpTo }: Conversation, userId: string): number =>
  messages.filter(({ toUserId, number }) => toUserId === userId && number > (readUpTo[userId] ?? 0)).length

export const listConversations: Handler<'listConversations'> = (world, { limit = 50, cursor }, { userId }) => {
  const place = cursor === undefined ? undefined : readCursor(cursor)
  const all = [...world.conversations].flatMap(([key, conversation]) => {
    const users = key.split(':')
    const withUserId = users.find((each) => each !== userId) ?? ''
    return users.includes(userId) ? [{ withUserId, conversation, place: `${conversation.lastAt} ${withUserId}` }] : []
  })
  const found = all
    .sort((a, b) => (a.place < b.place ? 1 : -1))
    .filter((each) => place === undefined || each.place < place)
  const items = found.slice(0, limit).map(({ withUserId, conversation }) => {
    const { messages, blocked, lastAt } = conversation
    const last = messages.at(-1)
    return {
      withUserId,
      messages: messages.length,
      unread: unreadBy(conversation, userId),
      blocked: blocked[userId] ?? false,
      ...(last && {
        lastMessage: {
          id: last.id,
          fromUserId: last.fromUserId,
          text: last.text.slice(0, PREVIEW_CHARS),
          sentAt: last.sentAt,
        },
      }),
      lastAt,
    }
  })
  const end = found[limit - 1]
  return { items, nextCursor: found.length > limit && end ? writeCursor(end.place) : null }
}

export const getConversation: Handler<'getConversation'> = (world, { withUserId, limit = 50, cursor }, { userId }) => {
  const before = cursor === undefined ? Infinity : Number(readCursor(cursor))
  if (Number.isNaN(before)) throw invalid('cursor', 'must be the nextCursor of a page of this list')
  const conversation = conversationOf(world, userId, withUserId)
  if (!conversation) return { items: [], nextCursor: null, unread: 0, blocked: false }
  const { messages, readUpTo, blocked } = conversation
  const newest = Math.min(messages.length, before - 1)
  const oldest = Math.max(1, newest - limit + 1)
  const items = messages
    .slice(oldest - 1, newest)
    .reverse()
    .map((message) => {
      const { id, fromUserId, toUserId, text, number, sentAt, deliveredAt } = message
      const state: 'sent' | 'delivered' | 'read' =
        number <= (readUpTo[toUserId] ?? 0) ? 'read' : deliveredAt === undefined ? 'sent' : 'delivered'
      return {
        id,
        fromUserId,
        toUserId,
        text,
        number,
        sentAt,
        state,
        ...(deliveredAt !== undefined && { deliveredAt }),
      }
    })
  const nextCursor = items.length > 0 && oldest > 1 ? writeCursor(String(oldest)) : null
  return { items, nextCursor, unread: unreadBy(conversation, userId), blocked: blocked[userId] ?? false }
}
