import type { Types } from 'mongoose'
import { field, maybe } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'

/** Somebody signed in somewhere: what refresh tokens are of. One that is not here has ended. */
export interface SessionDocument {
  _id: Types.ObjectId
  userId: Types.ObjectId
  /** The user's when it began. The user's is raised, and all sessions from before have ended in that one write. */
  tokenVersion: number
  /** SHA-256 of the secret in the refresh token that works now. */
  secretHash: string
  /** What the client calls itself. */
  device?: string
  /** Where it was signed in or refreshed last from: an IPv4 address, or the /64 of an IPv6 one. */
  network?: string
  createdAt: Date
  lastUsedAt: Date
  /** When MongoDB may drop it; each refresh moves it. */
  expiresAt: Date
}

export const Session = defineModel<SessionDocument>('users', 'sessions', {
  userId: field.id,
  tokenVersion: field.count,
  secretHash: field.text,
  device: maybe(field.text),
  network: maybe(field.text),
  createdAt: field.date,
  lastUsedAt: field.date,
  expiresAt: field.date,
})
