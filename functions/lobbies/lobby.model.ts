import type { Types } from 'mongoose'
import { field, listOf, recordOf } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'

export interface LobbyDocument {
  _id: Types.ObjectId
  trainId: Types.ObjectId
  /** It takes nobody any more; its feed ended with `lobby:deleted`. */
  deleted: boolean
  /** Users who may not come back. */
  removed: Types.ObjectId[]
  /** Who was there by the last `lobby:members` in its feed, and how many of these there were. */
  announced: { count: number; userIds: Types.ObjectId[] }
  request: { by: string; hash: string }
  createdAt: Date
}

export const Lobby = defineModel<LobbyDocument>('lobbies', 'lobbies', {
  trainId: field.id,
  deleted: field.flag,
  removed: listOf(field.id),
  announced: recordOf<LobbyDocument['announced']>({ count: field.count, userIds: listOf(field.id) }),
  request: field.request,
  createdAt: field.date,
})
