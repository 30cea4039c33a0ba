import mongoose from 'mongoose'
import { define } from '../../../platform/runtime/function.js'
import { lobbies } from '../contract.js'
import { Lobby } from '../lobby.model.js'

export default define(lobbies.readLobbyTerms, async (ctx, { lobbyIds }) => {
  const ids = [...new Set(lobbyIds)].map((each) => new mongoose.Types.ObjectId(each))
  const found = await ctx
    .model(Lobby)
    .find({ _id: { $in: ids }, deleted: false }, { trainId: 1, removed: 1 })
    .lean()
  const byId = new Map(
    found.map(({ _id, trainId, removed }) => [
      _id.toHexString(),
      {
        trainId: trainId.toHexString(),
        ...(removed.length > 0 && { removed: removed.map((each) => each.toHexString()) }),
      },
    ]),
  )
  return { terms: lobbyIds.map((each) => byId.get(each) ?? null) }
})
