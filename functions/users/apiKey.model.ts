import type { Types } from 'mongoose'
import { field, listOf, maybe } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'

/** A backend app's way in: it acts as a user, within scopes. */
export interface ApiKeyDocument {
  _id: Types.ObjectId
  /** Whom it acts as, with the role that they have then. */
  userId: Types.ObjectId
  name: string
  /** `bookings:read`, `bookings:write`: never changed. */
  scopes: readonly string[]
  /** SHA-256 of its secret. */
  secretHash: string
  request: { by: string; hash: string }
  createdAt: Date
  expiresAt?: Date
  /** To the minute. Missing: never yet. */
  lastUsedAt?: Date
  revokedAt?: Date
}

export const ApiKey = defineModel<ApiKeyDocument>('users', 'apiKeys', {
  userId: field.id,
  name: field.text,
  scopes: listOf(field.text),
  secretHash: field.text,
  request: field.request,
  createdAt: field.date,
  expiresAt: maybe(field.date),
  lastUsedAt: maybe(field.date),
  revokedAt: maybe(field.date),
})
