import mongoose from 'mongoose'
import type { News } from '../../platform/contract/news.js'
import { define } from '../../platform/runtime/function.js'
import { feeds } from '../feeds/contract.js'
import { lobbies, type news } from './contract.js'
import { lobbyNotFound } from './lobby.access.js'
import { Lobby } from './lobby.model.js'

/** First the user can't come back, then the connections that are there end: none slips in between. */
export default define(lobbies.removeFromLobby, async (ctx, { lobbyId, userId }) => {
  const { matchedCount } = await ctx
    .model(Lobby)
    .updateOne({ _id: lobbyId, deleted: false }, { $addToSet: { removed: new mongoose.Types.ObjectId(userId) } })
  if (matchedCount === 0) throw lobbyNotFound(lobbyId)
  const told: News<typeof news, 'toLobby'> = { name: 'lobby:removed', data: { userId } }
  await ctx.call(feeds.appendToFeed, {
    feed: `lobby:${lobbyId}`,
    entries: [
      {
        key: `removed:${userId}`,
        ...told,
        at: ctx.now().toISOString(),
        ends: { userId },
      },
    ],
  })
  return { lobbyId, userId }
})
