import { field, listOf, maybe } from '../platform/database/fields.js'
import type { Repair } from './engine.js'

/** The fields of what the protocol works on, as models list them. */

/** Of whatever the engine drives: bookings, payments. */
export const drivenFields = {
  state: field.text,
  epoch: field.count,
  reason: maybe(field.text),
  reverses: maybe(field.id),
  originalCreatedAt: maybe(field.date),
  recoveries: field.count,
  parked: field.flag,
  repairs: listOf<Repair>(field.any),
  requestId: field.text,
  createdAt: field.date,
  lastModified: field.date,
}

/** Of a participant, beside its active records: where else it remembers a booking, and where it forgets. */
export const memoryFields = {
  pendingBookings: listOf(field.id),
  tombstones: listOf(field.id),
  forgottenBefore: field.date,
}
