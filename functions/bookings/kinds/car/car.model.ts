import { Schema } from 'mongoose'
import { defineModel } from '../../../../platform/database/model.js'
import { thingFields, type ThingDocument, type ThingRecord } from '../../thing.kinds.js'

export interface CarRecord extends ThingRecord {
  /** The period that the booking holds. */
  from: Date
  to: Date
}

export interface CarDocument extends ThingDocument<CarRecord> {
  name: string
  /** Minor units per started hour, 64-bit integer. */
  pricePerHour: number
}

const schema = new Schema<CarDocument>(
  {
    name: { type: String, required: true },
    pricePerHour: { type: Schema.Types.BigInt, required: true },
    ...thingFields({ from: Date, to: Date }),
  } as never,
  { versionKey: false, minimize: false },
)

export const Car = defineModel<CarDocument>('bookings', 'cars', schema)
