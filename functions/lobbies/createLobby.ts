import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { insertOnce } from '../../platform/runtime/insertOnce.js'
import { isSameRequest, requestOf } from '../../platform/runtime/requests.js'
import { trains } from '../trains/contract.js'
import { lobbies } from './contract.js'
import { Lobby, type LobbyDocument } from './lobby.model.js'
import { presentLobby } from './lobby.presenter.js'

const { ObjectId } = mongoose.Types

export default define(lobbies.createLobby, async (ctx, input) => {
  const { lobbyId, trainId } = input
  const lobby: LobbyDocument = {
    _id: new ObjectId(lobbyId),
    trainId: new ObjectId(trainId),
    deleted: false,
    removed: [],
    announced: { count: 0, userIds: [] },
    request: requestOf(ctx, input),
    createdAt: ctx.now(),
  }
  const found = ctx.model(Lobby)
  const { terms } = await ctx.call(trains.readTrainTerms, { trainIds: [trainId] })
  if (!terms[0]) {
    // The train may have been there when the same request came first: its outcome stands.
    const earlier = await found.findById(lobbyId).lean()
    if (earlier && isSameRequest(earlier.request, lobby.request)) return presentLobby(earlier)
    throw new Refusal('train_not_found', `There is no train ${trainId}.`)
  }
  return insertOnce(found, 'lobby', lobby, presentLobby)
})
