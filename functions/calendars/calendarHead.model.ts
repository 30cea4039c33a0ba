import { Schema, type Types } from 'mongoose'
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

const schema = new Schema<CalendarHeadDocument>(
  {
    holds: { type: [Schema.Types.Mixed], default: [] },
    settling: { type: [Schema.Types.Mixed], default: [] },
    forgottenBefore: { type: Date, default: () => new Date(0) },
    live: { seller: { type: Schema.Types.Mixed }, buyer: { type: Schema.Types.Mixed } },
  } as never,
  { versionKey: false, minimize: false },
)

export const CalendarHead = defineModel<CalendarHeadDocument>('calendars', 'calendarHeads', schema)
