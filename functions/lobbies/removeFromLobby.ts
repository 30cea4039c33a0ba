import mongoose from 'mongoose'
import { define } from '../../platform/runtime/function.js'
import { feeds } from '../feeds/contract.js'
import { lobbies } from './contract.js'
import { lobbyNotFound } from './lobby.access.js'
import { Lobby } from './lobby.model.js'

/** First the user can't come back, then the connections that are there end: none slips in between. */
export default define(lobbies.removeFromLobby, async (ctx, { lobbyId, userId }) => {
  const { matchedCount } = await ctx
    .model(Lobby)
    .updateOne({ _id: lobbyId, deleted: false }, { $addToSet: { removed: new mongoose.Types.ObjectId(userId) } })
  if (matchedCount === 0) throw lobbyNotFound(lobbyId)
  await ctx.call(feeds.appendToFeed, {
    feed: `lobby:${lobbyId}`,
    entries: [
      {
        key: `removed:${userId}`,
        name: 'lobby:removed',
        data: { userId },
        at: ctx.now().toISOString(),
        ends: { userId },
      },
    ],
  })
  return { lobbyId, userId }
})
