import type { z } from 'zod'
import type { lobby } from './contract.js'
import type { LobbyDocument } from './lobby.model.js'

export const presentLobby = ({
  _id,
  trainId,
  createdAt,
}: Pick<LobbyDocument, '_id' | 'trainId' | 'createdAt'>): z.output<typeof lobby> => ({
  id: _id.toHexString(),
  trainId: trainId.toHexString(),
  createdAt: createdAt.toISOString(),
})
