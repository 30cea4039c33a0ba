import { Schema, type Types } from 'mongoose'
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

const ids = { type: [Schema.Types.ObjectId], default: [] }

const schema = new Schema<LobbyDocument>(
  {
    trainId: { type: Schema.Types.ObjectId, required: true },
    deleted: { type: Boolean, default: false },
    removed: ids,
    announced: { count: { type: Number, default: 0 }, userIds: ids },
    request: { by: String, hash: String },
    createdAt: { type: Date, required: true },
  },
  { versionKey: false, minimize: false },
)

export const Lobby = defineModel<LobbyDocument>('lobbies', 'lobbies', schema)
