import { field, recordOf } from '../../../../platform/database/fields.js'
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

export const Car = defineModel<CarDocument>('bookings', 'cars', {
  name: field.text,
  pricePerHour: field.money,
  ...thingFields(recordOf<CarRecord>({ _id: field.id, from: field.date, to: field.date })),
})
