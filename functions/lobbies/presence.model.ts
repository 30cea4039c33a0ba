import type { Types } from 'mongoose'
import { field, listOf } from '../../platform/database/fields.js'
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

export const Presence = defineModel<PresenceDocument>('lobbies', 'lobbyPresence', {
  _id: field.text,
  lobbyId: field.id,
  userIds: listOf(field.id),
  until: field.date,
})
