import mongoose from 'mongoose'
import { createProjection, type Projection, type ProjectionSpec } from '../../platform/logs/projection.js'
import type { System } from '../../platform/runtime/system.js'
import { messagesIn, otherSide, usersOf, type PairSide } from './conversation.rules.js'
import {
  MessageBox,
  pageOf,
  type ConversationView,
  type MessageBoxDocument,
  type PageView,
} from './messageBox.model.js'
import { messageLog, type MessageLogEntry } from './messageLog.model.js'

const { ObjectId } = mongoose.Types

const SIDES: readonly PairSide[] = [0, 1]
/** Of the last message, in lists of conversations. */
const PREVIEW_CHARS = 200

/** How the message log becomes message boxes. */
export const messageBoxSpec: ProjectionSpec<MessageLogEntry, MessageBoxDocument> = {
  view: MessageBox,
  log: (system) => system.use(messageLog),
  touches(entry) {
    const conversations = SIDES.map((side) => conversationKey(entry.stream, side))
    if (entry.kind !== 'message_sent' && entry.kind !== 'message_delivered') return conversations
    const page = pageOf(entry.message.ordinal)
    return [...conversations, ...conversations.map((key) => `${key}:${page}`)]
  },
  apply(views, entry) {
    for (const side of SIDES) {
      const key = conversationKey(entry.stream, side)
      views.set(key, conversationAfter(entry, side, views.get(key) as ConversationView | undefined))
      if (entry.kind !== 'message_sent' && entry.kind !== 'message_delivered') continue
      const pageKey = `${key}:${pageOf(entry.message.ordinal)}`
      views.set(pageKey, pageAfter(entry, side, views.get(pageKey) as PageView | undefined))
    }
  },
}

export const messageBoxProjection = (system: System): Projection<MessageLogEntry, MessageBoxDocument> =>
  createProjection(system, messageBoxSpec)

/** Of the user on this side. */
function conversationKey(stream: string, side: PairSide): string {
  const users = usersOf(stream)
  return `${users[side]}:${users[otherSide(side)]}`
}

const owners = (stream: string, side: PairSide) => ({
  userId: new ObjectId(usersOf(stream)[side]),
  withUserId: new ObjectId(usersOf(stream)[otherSide(side)]),
})

function conversationAfter(
  entry: MessageLogEntry,
  side: PairSide,
  before: ConversationView | undefined,
): Omit<ConversationView, '_id' | 'generation'> {
  const { conversation, stream, at } = entry
  const own = owners(stream, side)
  const sent = entry.kind === 'message_sent' ? entry.message : undefined
  return {
    kind: 'conversation',
    ...own,
    messages: messagesIn(conversation),
    unread: unreadAfter(entry, own.userId, before?.unread ?? 0),
    readByOther: conversation.readUpTo[otherSide(side)],
    readByUser: conversation.readUpTo[side],
    blocked: conversation.blocked[side],
    ...(before?.lastMessage && { lastMessage: before.lastMessage }),
    ...(sent && {
      lastMessage: {
        messageId: sent.messageId,
        fromUserId: sent.fromUserId,
        text: sent.text.slice(0, PREVIEW_CHARS),
        sentAt: at,
      },
    }),
    lastAt: sent ? at : (before?.lastAt ?? at),
  }
}

function unreadAfter(entry: MessageLogEntry, userId: mongoose.Types.ObjectId, before: number): number {
  if (entry.kind === 'message_sent' && entry.message.toUserId.equals(userId)) return before + 1
  if (entry.kind === 'message_read' && entry.message.toUserId.equals(userId)) return entry.unread
  return before
}

function pageAfter(
  entry: Extract<MessageLogEntry, { kind: 'message_sent' | 'message_delivered' }>,
  side: PairSide,
  before: PageView | undefined,
): Omit<PageView, '_id' | 'generation'> {
  const items = before?.items ?? []
  const page = { kind: 'page' as const, ...owners(entry.stream, side), page: pageOf(entry.message.ordinal) }
  if (entry.kind === 'message_delivered') {
    const { ordinal } = entry.message
    return {
      ...page,
      items: items.map((item) => (item.ordinal === ordinal ? { ...item, deliveredAt: entry.at } : item)),
    }
  }
  const { messageId, ordinal, fromUserId, text, invitationId } = entry.message
  const sent = { messageId, ordinal, fromUserId, text, ...(invitationId && { invitationId }), sentAt: entry.at }
  return { ...page, items: [...items, sent] }
}
