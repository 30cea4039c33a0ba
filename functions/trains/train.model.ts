import type { Types } from 'mongoose'
import { field, listOf, maybe, recordOf } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'
import { memoryFields } from '../../protocol/fields.js'

/** What a train remembers of a booking whose effect stands. */
export interface SeatRecord {
  _id: Types.ObjectId
  /** How many seats it holds; counted down from seatsLeft in the same update. */
  passengers: number
  /** Their numbers, from 1; given after the booking was decided. */
  seats?: number[]
}

export interface TrainDocument {
  _id: Types.ObjectId
  route: string
  /** The route in lower case: what listTrains looks for. */
  routeKey: string
  departureTime: Date
  arrivalTime: Date
  /** How many there are. */
  seats: number
  /** How many are neither sold nor held; the validator keeps it at 0 or above. */
  seatsLeft: number
  /** Minor units, 64-bit integer. */
  pricePerSeat: number
  /** A deleted train stays, because its bookings of long ago name it; it takes no more. A called-off one is both. */
  deleted: boolean
  /** When and why it was called off, and which bookings held seats at that moment. */
  calledOff?: { at: Date; reason: string; bookingIds: Types.ObjectId[] }

  /** The protocol's three places (protocol.md). The active records are never forgotten: there are no more than seats. */
  bookings: SeatRecord[]
  pendingBookings: Types.ObjectId[]
  tombstones: Types.ObjectId[]
  /** Bookings created before this are refused as void: their tombstones may be gone. */
  forgottenBefore: Date

  version: number
  request: { by: string; hash: string }
  createdAt: Date
  updatedAt: Date
}

export const Train = defineModel<TrainDocument>('trains', 'trains', {
  route: field.text,
  routeKey: field.text,
  departureTime: field.date,
  arrivalTime: field.date,
  seats: field.count,
  seatsLeft: field.count,
  pricePerSeat: field.money,
  deleted: field.flag,
  calledOff: maybe(
    recordOf<NonNullable<TrainDocument['calledOff']>>({
      at: field.date,
      reason: field.text,
      bookingIds: listOf(field.id),
    }),
  ),
  bookings: listOf(recordOf<SeatRecord>({ _id: field.id, passengers: field.count, seats: maybe(listOf(field.count)) })),
  ...memoryFields,
  version: field.count,
  request: field.request,
  createdAt: field.date,
  updatedAt: field.date,
})
