import type { Types } from 'mongoose'
import { field, maybe, orNull } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'
import { EXPIRATIONS, type EXPIRE_ORDER } from './contract.js'

/**
 * The timer of an order, under the order's id, as Agenda stores a job that runs once: a jobs process runs it when it is
 * due. It is gone when it has rung.
 */
export interface ExpirationDocument {
  _id: Types.ObjectId
  name: typeof EXPIRE_ORDER
  type: 'normal'
  priority: number
  /** null: it rings now, or it is parked. */
  nextRunAt: Date | null
  lockedAt: Date | null
  /** When it was to ring at first. */
  dueAt: Date
  /** How often it rang in vain; Agenda counts. */
  failCount?: number | null
}

export const Expiration = defineModel<ExpirationDocument>('expirations', EXPIRATIONS, {
  name: field.text,
  type: field.text,
  priority: field.count,
  nextRunAt: orNull(field.date),
  lockedAt: orNull(field.date),
  dueAt: field.date,
  failCount: maybe(orNull(field.count)),
})

/** Has failed, and rings no more by itself. */
export const isParked = { failCount: { $gt: 0 }, nextRunAt: null, lockedAt: null }
