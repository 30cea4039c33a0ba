import type { Types } from 'mongoose'
import { field, listOf, maybe } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'
import type { ViewDocument } from '../../platform/logs/projection.js'

/** What a user sees of a conversation, and its messages by page. Only the projection writes them. */
export type MessageBoxDocument = ConversationView | PageView

/** `<generation>:<userId>:<withUserId>` */
export interface ConversationView extends ViewDocument {
  kind: 'conversation'
  userId: Types.ObjectId
  withUserId: Types.ObjectId
  messages: number
  unread: number
  /** The ordinal up to which the other one has read. */
  readByOther: number
  /** And the user. */
  readByUser: number
  blocked: boolean
  lastMessage?: { messageId: Types.ObjectId; fromUserId: Types.ObjectId; text: string; sentAt: Date }
  /** Of the last message, or of what made the conversation. */
  lastAt: Date
}

/** `<generation>:<userId>:<withUserId>:<page>` */
export interface PageView extends ViewDocument {
  kind: 'page'
  userId: Types.ObjectId
  withUserId: Types.ObjectId
  page: number
  /** By ordinal. */
  items: MessageItem[]
}

export interface MessageItem {
  messageId: Types.ObjectId
  ordinal: number
  fromUserId: Types.ObjectId
  text: string
  invitationId?: Types.ObjectId
  sentAt: Date
  deliveredAt?: Date
}

/** Of a page. With the longest texts it is a document of 256 kB. */
export const PAGE_MESSAGES = 25
export const pageOf = (ordinal: number): number => Math.floor((ordinal - 1) / PAGE_MESSAGES)

export const MessageBox = defineModel<MessageBoxDocument>('messages', 'messageBoxes', {
  _id: field.text,
  generation: field.count,
  kind: field.text,
  userId: field.id,
  withUserId: field.id,
  // Of a conversation.
  messages: maybe(field.count),
  unread: maybe(field.count),
  readByOther: maybe(field.count),
  readByUser: maybe(field.count),
  blocked: maybe(field.flag),
  lastMessage: maybe(field.object),
  lastAt: maybe(field.date),
  // Of a page.
  page: maybe(field.count),
  items: maybe(listOf<MessageItem>(field.any)),
})
