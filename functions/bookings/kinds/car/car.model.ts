import { Schema, type Types } from 'mongoose'
import { defineModel } from '../../../../platform/database/model.js'

export interface CarDocument {
  _id: Types.ObjectId
  name: string
  /** Minor units per started hour, 64-bit integer. */
  pricePerHour: number
  retired: boolean

  /** The protocol's three places (protocol.md); the active records carry the period that they hold. */
  bookings: { _id: Types.ObjectId; from: Date; to: Date }[]
  pendingBookings: Types.ObjectId[]
  tombstones: Types.ObjectId[]
  /** Bookings created before this are refused as void: their markers may be gone. */
  forgottenBefore: Date

  version: number
  request: { by: string; hash: string }
  createdAt: Date
  updatedAt: Date
}

const ids = { type: [Schema.Types.ObjectId], default: [] }

const schema = new Schema<CarDocument>(
  {
    name: { type: String, required: true },
    pricePerHour: { type: Schema.Types.BigInt, required: true },
    retired: { type: Boolean, default: false },
    bookings: { type: [{ from: Date, to: Date }], default: [] },
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

export const Car = defineModel<CarDocument>('bookings', 'cars', schema)
