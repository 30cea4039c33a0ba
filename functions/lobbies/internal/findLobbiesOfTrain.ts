import { define } from '../../../platform/runtime/function.js'
import { lobbies } from '../contract.js'
import { Lobby } from '../lobby.model.js'

const MAX_LOBBIES = 100

export default define(lobbies.findLobbiesOfTrain, async (ctx, { trainId }) => {
  const found = await ctx.model(Lobby).find({ trainId, deleted: false }, { _id: 1 }).limit(MAX_LOBBIES).lean()
  return { lobbyIds: found.map(({ _id }) => _id.toHexString()) }
})
