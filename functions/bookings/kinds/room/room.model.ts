import { Schema } from 'mongoose'
import { defineModel } from '../../../../platform/database/model.js'
import { thingFields, type ThingDocument, type ThingRecord } from '../../thing.kinds.js'
import type { Nights } from './room.rules.js'

/** The nights that a booking holds one unit for. */
export type RoomRecord = ThingRecord & Nights

export interface RoomDocument extends ThingDocument<RoomRecord> {
  name: string
  /** Minor units, 64-bit integer. */
  pricePerNight: number
  /** How many there are: no more bookings than that are active on a night. */
  units: number
  /** Never changes: the nights in the records are its. */
  timeZone: string
}

const schema = new Schema<RoomDocument>(
  {
    name: { type: String, required: true },
    pricePerNight: { type: Schema.Types.BigInt, required: true },
    units: { type: Number, required: true },
    timeZone: { type: String, required: true },
    ...thingFields({ from: String, to: String }),
  } as never,
  { versionKey: false, minimize: false },
)

export const Room = defineModel<RoomDocument>('bookings', 'rooms', schema)
