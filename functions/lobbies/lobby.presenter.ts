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

/** Whoever wants to know of more follows the lobby's feed. */
const MAX_MEMBERS = 1000

export const presentMembers = (members: ReadonlySet<string>) => ({
  members: [...members].slice(0, MAX_MEMBERS),
  memberCount: members.size,
})
