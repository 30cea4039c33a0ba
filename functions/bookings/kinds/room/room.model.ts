import { field, recordOf } from '../../../../platform/database/fields.js'
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

export const Room = defineModel<RoomDocument>('bookings', 'rooms', {
  name: field.text,
  pricePerNight: field.money,
  units: field.count,
  timeZone: field.text,
  ...thingFields(recordOf<RoomRecord>({ _id: field.id, from: field.text, to: field.text })),
})
