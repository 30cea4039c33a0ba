import type { Types } from 'mongoose'
import { field, listOf, recordOf } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'

/**
 * The heads of the booking log: what a command must know of a user beyond the invitation itself, kept up to date in the
 * transactions that append. Only commands read and write it; views don't.
 */
export interface CalendarHeadDocument {
  /** The user. */
  _id: Types.ObjectId
  /** Periods of the seller that are confirmed, or held while a payment is under way. No two overlap. */
  holds: HeldPeriod[]
  /** The seller's invitations whose payment is under way, to the seller or back. Recovery looks for old ones. */
  settling: Settling[]
  /** Holds that ended before this may be gone, so no earlier period may be held any more. */
  forgottenBefore: Date
  /** How many invitations each month lists, by `seller` or `buyer` and month: `live.seller.2031-03`. */
  live: { seller: Record<string, number>; buyer: Record<string, number> }
}

export interface HeldPeriod {
  invitationId: Types.ObjectId
  from: Date
  to: Date
}

export interface Settling {
  invitationId: Types.ObjectId
  since: Date
  /** Recovery failed so often in a row to end it, and tries again when; parked, it waits for an admin. */
  retry?: { failures: number; at: Date; parked: boolean }
}

export const CalendarHead = defineModel<CalendarHeadDocument>('calendars', 'calendarHeads', {
  holds: listOf<HeldPeriod>(field.any),
  settling: listOf<Settling>(field.any),
  forgottenBefore: field.date,
  live: recordOf<CalendarHeadDocument['live']>({ seller: field.any, buyer: field.any }),
})
