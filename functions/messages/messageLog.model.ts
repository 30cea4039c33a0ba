import { Schema, type Types } from 'mongoose'
import { createAppendLog, type AppendLog, type LogEntry } from '../../platform/logs/appendLog.js'
import { defineModel } from '../../platform/database/model.js'
import type { RequestMark } from '../../platform/runtime/requests.js'
import type { System } from '../../platform/runtime/system.js'
import type { Conversation } from './conversation.rules.js'

export interface Message {
  messageId: Types.ObjectId
  fromUserId: Types.ObjectId
  toUserId: Types.ObjectId
  /** Counts the messages of the conversation from 1, whoever sent them. */
  ordinal: number
  text: string
  invitationId?: Types.ObjectId
}

/** Which message an entry is about. */
export type MessageReference = Omit<Message, 'text' | 'invitationId'>

export const referenceOf = ({ messageId, fromUserId, toUserId, ordinal }: Message): MessageReference => ({
  messageId,
  fromUserId,
  toUserId,
  ordinal,
})

interface Entry extends LogEntry {
  /** As this entry leaves it. */
  conversation: Conversation
}

/** Stream and partition: the pair of users. */
export type MessageLogEntry =
  | (Entry & { kind: 'message_sent'; message: Message; request: RequestMark })
  | (Entry & { kind: 'message_delivered'; message: MessageReference })
  /** Of this message and all before it; `unread` is what is left unread for the reader. */
  | (Entry & { kind: 'message_read'; message: MessageReference; unread: number })
  | (Entry & { kind: 'user_blocked' | 'user_unblocked' })

const schema = new Schema<Entry>(
  {
    _id: { type: Number, required: true },
    stream: { type: String, required: true },
    number: { type: Number, required: true },
    kind: { type: String, required: true },
    key: String,
    by: Schema.Types.ObjectId,
    requestId: String,
    at: { type: Date, required: true },
    conversation: { type: Schema.Types.Mixed, required: true },
    message: Schema.Types.Mixed,
    unread: Number,
    request: { by: String, hash: String },
  } as never,
  { versionKey: false },
)

export const MessageLog = defineModel<MessageLogEntry>('messages', 'messageLog', schema as never)

export const messageLog = (system: System): AppendLog<MessageLogEntry> => createAppendLog(system, MessageLog)
