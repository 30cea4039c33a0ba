import { Schema, type Types } from 'mongoose'
import { defineModel } from '../../platform/database/model.js'

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

const ids = { type: [Schema.Types.ObjectId], default: [] }

const schema = new Schema<TrainDocument>(
  {
    route: { type: String, required: true },
    routeKey: { type: String, required: true },
    departureTime: { type: Date, required: true },
    arrivalTime: { type: Date, required: true },
    seats: { type: Number, required: true },
    seatsLeft: { type: Number, required: true },
    pricePerSeat: { type: Schema.Types.BigInt, required: true },
    deleted: { type: Boolean, default: false },
    calledOff: { type: { at: Date, reason: String, bookingIds: [Schema.Types.ObjectId] }, default: undefined },
    bookings: { type: [{ passengers: Number, seats: { type: [Number], default: undefined } }], default: [] },
    pendingBookings: ids,
    tombstones: ids,
    forgottenBefore: { type: Date, default: () => new Date(0) },
    version: { type: Number, default: 0 },
    request: { by: String, hash: String },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  } as never,
  { versionKey: false, minimize: false },
)

export const Train = defineModel<TrainDocument>('trains', 'trains', schema)
