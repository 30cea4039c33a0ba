import mongoose from 'mongoose'
import { define } from '../../platform/runtime/function.js'
import { pageOf } from '../../platform/runtime/pages.js'
import { lobbies } from './contract.js'
import { Lobby } from './lobby.model.js'
import { presentLobby } from './lobby.presenter.js'

export default define(lobbies.listLobbies, async (ctx, { trainId, limit, cursor }) => {
  const { documents, nextCursor } = await pageOf(
    ctx.model(Lobby),
    { deleted: false, ...(trainId !== undefined && { trainId: new mongoose.Types.ObjectId(trainId) }) },
    { limit, cursor },
    'oldestFirst',
    { projection: { trainId: 1, createdAt: 1 } },
  )
  return { items: documents.map(presentLobby), nextCursor }
})
