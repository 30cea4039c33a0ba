import { Schema, type Types } from 'mongoose'
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

const id = { type: Schema.Types.ObjectId, required: true }

const schema = new Schema<ViewDocument>(
  {
    _id: { type: String, required: true },
    generation: { type: Number, required: true },
    kind: { type: String, required: true },
    userId: id,
    withUserId: id,
    messages: Number,
    unread: Number,
    readByOther: Number,
    readByUser: Number,
    blocked: Boolean,
    lastMessage: Schema.Types.Mixed,
    lastAt: Date,
    page: Number,
    items: { type: [Schema.Types.Mixed], default: undefined },
  } as never,
  { versionKey: false },
)

export const MessageBox = defineModel<MessageBoxDocument>('messages', 'messageBoxes', schema as never)
