import mongoose from 'mongoose'
import { define } from '../../../platform/runtime/function.js'
import { lobbies } from '../contract.js'
import { announceMembers, PRESENCE_MS } from '../presence.news.js'
import { Presence } from '../presence.model.js'

const { ObjectId } = mongoose.Types

/** What a worker says replaces what it said before, so a report that is lost or comes twice does no harm. */
export default define(lobbies.reportPresence, async (ctx, { worker, lobbies: reported }) => {
  const presence = ctx.model(Presence)
  const until = new Date(ctx.now().getTime() + PRESENCE_MS)
  if (reported.length > 0) {
    await presence.bulkWrite(
      reported.map(({ lobbyId, userIds }) => ({
        replaceOne: {
          filter: { _id: `${worker}:${lobbyId}` },
          replacement: {
            lobbyId: new ObjectId(lobbyId),
            userIds: userIds.map((each) => new ObjectId(each)),
            until,
          },
          upsert: true,
        },
      })),
      { ordered: false },
    )
  }
  // Of workers that died: their lobbies learn who went with them.
  const stale = await presence
    .find({ until: { $lte: ctx.now() } }, { lobbyId: 1 })
    .limit(1000)
    .lean()
  const touched = new Map(
    [...reported.map(({ lobbyId }) => new ObjectId(lobbyId)), ...stale.map(({ lobbyId }) => lobbyId)].map((each) => [
      String(each),
      each,
    ]),
  )
  for (const lobbyId of touched.values()) await announceMembers(ctx, lobbyId)
  if (stale.length > 0) {
    await presence.deleteMany({ _id: { $in: stale.map(({ _id }) => _id) }, until: { $lte: ctx.now() } })
  }
  return {}
})
