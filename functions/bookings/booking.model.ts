import type { Types } from 'mongoose'
import type { CarriedEvent } from '../../platform/events/events.js'
import { field, listOf, maybe } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'
import type { Repair } from '../../protocol/engine.js'
import { drivenFields } from '../../protocol/fields.js'
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
  /** Taken back: its reversal, which sets this after its decision and before its end. */
  reversedBy?: Types.ObjectId
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

export const Booking = defineModel<BookingDocument>(
  'bookings',
  'bookings',
  {
    userId: field.id,
    version: maybe(field.count),
    from: field.date,
    to: field.date,
    cost: field.money,
    ...drivenFields,
    request: field.request,
    reversedBy: maybe(field.id),
    eventVersion: maybe(field.count),
    outbox: maybe(listOf<CarriedEvent>(field.any)),
  },
  // Kinds of things to book add fields of their own; the collection's validator knows them.
  { strict: false },
)
