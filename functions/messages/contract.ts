import { z } from 'zod'
import { backlogOperation } from '../../platform/contract/backlog.js'
import { defineContract, operation } from '../../platform/contract/contract.js'
import { defineNews } from '../../platform/contract/news.js'
import { id, listOf, page, text, time } from '../../platform/contract/types.js'

const MAX_TEXT_BYTES = 10_240

const messageText = text(MAX_TEXT_BYTES)
  .min(1)
  .refine((each) => Buffer.byteLength(each) <= MAX_TEXT_BYTES, `at most ${MAX_TEXT_BYTES} bytes of UTF-8`)

/** A place in the log: reads with `after: seq` show it. */
const seq = z.int().min(0)

export const message = z.object({
  id,
  fromUserId: id,
  toUserId: id,
  text: z.string(),
  invitationId: id.optional(),
  /** Counts the messages of the conversation from 1. */
  number: z.int(),
  sentAt: time,
})

const conversation = z.object({
  withUserId: id,
  messages: z.int(),
  unread: z.int(),
  /** Whether the caller has blocked the other one. */
  blocked: z.boolean(),
  /** Its text cut after 200 characters. */
  lastMessage: z.object({ id, fromUserId: id, text: z.string(), sentAt: time }).optional(),
  lastAt: time,
})

const appended = z.object({ seq })

export const news = defineNews({
  'message:new': {
    when: 'To the receiver of a message; a socket that acknowledges it makes it `delivered`. Reads with `after` show it.',
    toUser: message.omit({ id: true, toUserId: true }).extend({ messageId: id, after: seq }),
  },
  'message:delivered': {
    when: 'To the sender: the receiver has a message, or has read it and all before it.',
    toUser: z.object({ messageId: id, toUserId: id, state: z.enum(['delivered', 'read']), after: seq }),
  },
})

export const messages = defineContract('messages', {
  sendMessage: operation({
    summary: 'Sends a text to another user, about an invitation of the two if one is named.',
    access: 'user',
    input: z.strictObject({ messageId: id.optional(), toUserId: id, text: messageText, invitationId: id.optional() }),
    output: message.extend({ seq }),
    errors: ['message_id_reused', 'user_not_found', 'invitation_not_found', 'receiver_blocked', 'blocked_by_receiver'],
    quota: { count: 'messages', bytes: { quota: 'messageBytes', of: ({ text }) => Buffer.byteLength(text) } },
    deadline: 'quick',
    idempotent: true,
    key: ({ toUserId }) => toUserId,
    newId: 'messageId',
  }),
  acknowledgeMessage: operation({
    summary: 'The receiver has it: the gateway calls this when a socket acknowledges message:new; clients may, too.',
    access: 'user',
    input: z.strictObject({ messageId: id }),
    output: appended,
    errors: ['message_not_found'],
    deadline: 'quick',
    idempotent: true,
    key: ({ messageId }) => messageId,
    acknowledges: { event: 'message:new', input: ({ messageId }) => ({ messageId }) },
  }),
  markRead: operation({
    summary: 'The receiver has read this message, and all before it in the conversation.',
    access: 'user',
    input: z.strictObject({ messageId: id }),
    output: appended,
    errors: ['message_not_found'],
    deadline: 'quick',
    idempotent: true,
    key: ({ messageId }) => messageId,
  }),
  blockUser: operation({
    summary:
      'No more messages or invitations from this user, nor to them; what was asked before can still be answered.',
    access: 'user',
    input: z.strictObject({ userId: id }),
    output: appended,
    errors: ['user_not_found'],
    quota: { count: 'blocks' },
    deadline: 'quick',
    idempotent: true,
    key: ({ userId }) => userId,
  }),
  unblockUser: operation({
    summary: 'Takes a block back.',
    access: 'user',
    input: z.strictObject({ userId: id }),
    output: appended,
    errors: ['user_not_found'],
    quota: { count: 'blocks' },
    deadline: 'quick',
    idempotent: true,
    key: ({ userId }) => userId,
  }),
  listConversations: operation({
    summary: "The caller's conversations, the one with the newest message first.",
    access: 'user',
    input: z.strictObject({ ...page, after: seq.optional() }),
    output: listOf(conversation),
    errors: ['invalid_input', 'view_behind'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  getConversation: operation({
    summary:
      'The messages that the caller and another user have exchanged, newest first, each with how far it has come. Counts as 3 requests against the rate.',
    access: 'user',
    input: z.strictObject({ withUserId: id, ...page, after: seq.optional() }),
    output: z.object({
      items: z.array(message.extend({ state: z.enum(['sent', 'delivered', 'read']), deliveredAt: time.optional() })),
      nextCursor: z.string().nullable(),
      unread: z.int(),
      blocked: z.boolean(),
    }),
    errors: ['invalid_input', 'view_behind'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
    weight: 3,
  }),
  reportMessageView: backlogOperation('how far the view is behind.'),
})
