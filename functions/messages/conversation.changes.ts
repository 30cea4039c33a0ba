import mongoose from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogEntry } from '../../platform/logs/appendLog.js'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { NEW, type Conversation } from './conversation.rules.js'
import { messageLog, type MessageLogEntry } from './messageLog.model.js'

type Own = Exclude<keyof LogEntry, 'kind' | 'key'>
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
/** What a command appends. */
export type ConversationChange = DistributiveOmit<MessageLogEntry, Own>

const LONGEST_PAUSE_MS = 20

/**
 * Appends to a conversation: `decide` sees it as it stands and answers what to append, null where it says so already, or
 * throws the refusal. Where somebody else was first, it decides again, unless `key` stands by now. Answers the entry that
 * says it: this one, the one with the key, or the newest.
 */
export const changeConversation = (
  ctx: Context,
  stream: string,
  decide: (conversation: Conversation) => ConversationChange | null,
): Promise<MessageLogEntry | null> => ctx.use(messageLog).inTurn(stream, () => changeInTurn(ctx, stream, decide))

async function changeInTurn(
  ctx: Context,
  stream: string,
  decide: (conversation: Conversation) => ConversationChange | null,
): Promise<MessageLogEntry | null> {
  const log = ctx.use(messageLog)
  for (let pauseMs = 2; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const newest = await log.head(stream)
    const next = decide(newest?.conversation ?? NEW)
    if (!next) return newest
    const appended = await log.append(stream, {
      ...next,
      stream,
      number: (newest?.number ?? 0) + 1,
      by: new mongoose.Types.ObjectId(userOf(ctx)),
      requestId: ctx.requestId,
      at: ctx.now(),
    })
    if (appended !== 'conflict') return appended
    const said = next.key && (await log.byKey(next.key))
    if (said) return said
    if (ctx.remainingMs() < pauseMs) throw new Refusal('deadline_exceeded', 'Too many others wrote at once.')
    await sleep(pauseMs)
  }
}

/** The message as it was sent, if it was sent to the caller. */
export async function receivedMessage(
  ctx: Context,
  messageId: string,
): Promise<Extract<MessageLogEntry, { kind: 'message_sent' }>> {
  const sent = await ctx.use(messageLog).byKey(sentKey(messageId))
  if (sent?.kind === 'message_sent' && sent.message.toUserId.equals(userOf(ctx))) return sent
  throw new Refusal('message_not_found', `You received no message ${messageId}.`)
}

export const sentKey = (messageId: string): string => `sent:${messageId}`

/** Messages are between users: the system itself has none. */
export function userOf({ caller }: Pick<Context, 'caller'>): string {
  if (!caller) throw new Refusal('forbidden', 'Only users have messages.')
  return caller.userId
}
