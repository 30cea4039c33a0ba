import { Schema, type Types } from 'mongoose'
import type { CarriedEvent } from '../../platform/events/events.js'
import { defineModel } from '../../platform/database/model.js'
import type { Repair } from '../../protocol/engine.js'
import type { State } from '../../protocol/states.js'

export interface BookingDocument {
  _id: Types.ObjectId
  userId: Types.ObjectId
  /** When it is; of a train its departure and arrival, as they were when it was booked. What is booked, its kind adds. */
  from: Date
  to: Date
  /** How often updateBooking changed it: what clients read as `version`, where its kind has any of that. */
  version?: number
  /** Minor units, 64-bit integer. */
  cost: number
  state: State
  /** Fences executors: every transition is a compare-and-set on (state, epoch); a takeover raises it. */
  epoch: number
  reason?: string
  reverses?: Types.ObjectId
  /** Of a reversal: when the booking that it takes back was created. */
  originalCreatedAt?: Date
  /** How often recovery took it over. */
  recoveries: number
  parked: boolean
  /** One record a repair: when, by whom, from which state, why. */
  repairs: Repair[]
  request: { by: string; hash: string }
  requestId: string
  createdAt: Date
  lastModified: Date
  /** The version of its newest event. */
  eventVersion?: number
  /** Events that are not delivered yet. */
  outbox?: CarriedEvent[]
}

const schema = new Schema<BookingDocument>(
  {
    userId: { type: Schema.Types.ObjectId, required: true },
    version: Number,
    from: { type: Date, required: true },
    to: { type: Date, required: true },
    cost: { type: Schema.Types.BigInt, required: true },
    state: { type: String, required: true },
    epoch: { type: Number, required: true },
    reason: String,
    reverses: Schema.Types.ObjectId,
    originalCreatedAt: Date,
    recoveries: { type: Number, default: 0 },
    parked: { type: Boolean, default: false },
    repairs: { type: [Schema.Types.Mixed], default: [] },
    request: { by: String, hash: String },
    requestId: String,
    createdAt: { type: Date, required: true },
    lastModified: { type: Date, required: true },
    eventVersion: Number,
    outbox: { type: [Schema.Types.Mixed], default: undefined },
  } as never,
  // Kinds of things to book add fields of their own; the collection's validator knows them.
  { versionKey: false, strict: false },
)

export const Booking = defineModel<BookingDocument>('bookings', 'bookings', schema)
