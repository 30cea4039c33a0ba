import { Schema, type Types } from 'mongoose'
import { defineModel } from '../../platform/database/model.js'

/** Whose sockets one gateway worker has in one lobby. The worker says all of it again every few seconds. */
export interface PresenceDocument {
  /** `<worker>:<lobbyId>` */
  _id: string
  lobbyId: Types.ObjectId
  userIds: Types.ObjectId[]
  /** Unless said again, they are gone: the worker died. */
  until: Date
}

const schema = new Schema<PresenceDocument>(
  {
    _id: String,
    lobbyId: { type: Schema.Types.ObjectId, required: true },
    userIds: { type: [Schema.Types.ObjectId], default: [] },
    until: { type: Date, required: true },
  },
  { versionKey: false },
)

export const Presence = defineModel<PresenceDocument>('lobbies', 'lobbyPresence', schema)
