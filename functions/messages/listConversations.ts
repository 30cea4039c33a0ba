import mongoose from 'mongoose'
import { z } from 'zod'
import { define } from '../../platform/runtime/function.js'
import { decodeCursor, encodeCursor } from '../../platform/runtime/pages.js'
import { id } from '../../platform/contract/types.js'
import { messages } from './contract.js'
import { userOf } from './conversation.changes.js'
import { presentConversation } from './message.presenter.js'
import { MessageBox, type ConversationView } from './messageBox.model.js'
import { messageBoxProjection } from './messageBox.projection.js'

const { ObjectId } = mongoose.Types

const LATEST_MS = 8.64e15
const position = z.tuple([z.int().min(-LATEST_MS).max(LATEST_MS), id])

export default define(messages.listConversations, async (ctx, { limit, cursor, after }) => {
  const userId = new ObjectId(userOf(ctx))
  const generation = await ctx.use(messageBoxProjection).generationFor(ctx, after)
  const found = (await ctx
    .model(MessageBox)
    .find({ $and: [{ generation, userId, kind: 'conversation' }, cursor === undefined ? {} : beyond(cursor)] })
    .sort({ lastAt: -1, withUserId: -1 })
    .limit(limit + 1)
    .lean()) as unknown as ConversationView[]
  const page = found.slice(0, limit)
  const last = page.at(-1)
  return {
    items: page.map(presentConversation),
    nextCursor:
      found.length > limit && last ? encodeCursor([last.lastAt.getTime(), last.withUserId.toHexString()]) : null,
  }
})

function beyond(cursor: string): object {
  const [lastAtMs, withUserId] = decodeCursor(cursor, position)
  const lastAt = new Date(lastAtMs)
  return {
    lastAt: { $lte: lastAt },
    $or: [{ lastAt: { $lt: lastAt } }, { withUserId: { $lt: new ObjectId(withUserId) } }],
  }
}
