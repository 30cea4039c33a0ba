import type { Types } from 'mongoose'
import { createAppendLog, logFields, type AppendLog, type LogEntry } from '../../platform/logs/appendLog.js'
import { field, listOf, maybe, recordOf } from '../../platform/database/fields.js'
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

export const MessageLog = defineModel<MessageLogEntry>('messages', 'messageLog', {
  ...logFields,
  conversation: recordOf<Conversation>({
    sent: listOf(field.count),
    readUpTo: listOf(field.count),
    blocked: listOf(field.flag),
  }),
  message: maybe(
    recordOf<MessageReference & Partial<Message>>({
      messageId: field.id,
      fromUserId: field.id,
      toUserId: field.id,
      ordinal: field.count,
      text: maybe(field.text),
      invitationId: maybe(field.id),
    }),
  ),
  unread: maybe(field.count),
  request: maybe(field.request),
})

export const messageLog = (system: System): AppendLog<MessageLogEntry> => createAppendLog(system, MessageLog)
