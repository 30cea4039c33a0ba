import { z } from 'zod'
import { define } from '../../platform/runtime/function.js'
import { decodeCursor, encodeCursor, withinPage } from '../../platform/runtime/pages.js'
import { idOf } from '../../platform/logs/projection.js'
import { messages } from './contract.js'
import { userOf } from './conversation.changes.js'
import { presentItem } from './message.presenter.js'
import { MessageBox, pageOf, type ConversationView, type PageView } from './messageBox.model.js'
import { messageBoxProjection } from './messageBox.projection.js'

/** The number of the last message that the client has. */
const position = z.int().min(1)

export default define(messages.getConversation, async (ctx, { withUserId, limit, cursor, after }) => {
  const generation = await ctx.use(messageBoxProjection).generationFor(ctx, after)
  const key = idOf(generation, `${userOf(ctx)}:${withUserId}`)
  const before = cursor === undefined ? Infinity : decodeCursor(cursor, position)
  const boxes = ctx.model(MessageBox)
  const conversation = (await boxes.findById(key).lean()) as ConversationView | null
  if (!conversation) return { items: [], nextCursor: null, unread: 0, blocked: false }

  const newest = Math.min(conversation.messages, before - 1)
  const oldest = Math.max(1, newest - limit + 1)
  const ids: string[] = []
  for (let page = pageOf(oldest); page <= pageOf(newest); page++) ids.push(`${key}:${page}`)
  const pages = (await boxes.find({ _id: { $in: ids } }).lean()) as unknown as PageView[]
  const found = pages
    .flatMap((page) => page.items)
    .filter(({ ordinal }) => ordinal >= oldest && ordinal <= newest)
    .sort((a, b) => b.ordinal - a.ordinal)
  const items = withinPage(found.map((item) => presentItem(item, conversation)))
  const last = items.at(-1)
  return {
    items,
    nextCursor: last && last.number > 1 ? encodeCursor(last.number) : null,
    unread: conversation.unread,
    blocked: conversation.blocked,
  }
})
