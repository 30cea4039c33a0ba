import type { News } from '../../platform/contract/news.js'
import { define } from '../../platform/runtime/function.js'
import { feeds } from '../feeds/contract.js'
import { lobbies, type news } from './contract.js'
import { lobbyNotFound } from './lobby.access.js'
import { Lobby } from './lobby.model.js'

/** Nobody joins a deleted lobby. A crash before its members are told leaves a deletion to be sent again. */
export default define(lobbies.deleteLobby, async (ctx, { lobbyId }) => {
  const { matchedCount } = await ctx.model(Lobby).updateOne({ _id: lobbyId }, { $set: { deleted: true } })
  if (matchedCount === 0) throw lobbyNotFound(lobbyId)
  const told: News<typeof news, 'toLobby'> = { name: 'lobby:deleted', data: {} }
  await ctx.call(feeds.appendToFeed, {
    feed: `lobby:${lobbyId}`,
    entries: [{ ...told, key: 'deleted', at: ctx.now().toISOString(), ends: {} }],
  })
  return { lobbyId }
})
