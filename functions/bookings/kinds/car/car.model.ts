import { field } from '../../../../platform/database/fields.js'
import { defineModel } from '../../../../platform/database/model.js'
import { periodFields, type PeriodThing } from '../../period.kinds.js'

export interface CarDocument extends PeriodThing {
  name: string
  /** Minor units per started hour, 64-bit integer. */
  pricePerHour: number
}

export const Car = defineModel<CarDocument>('bookings', 'cars', {
  name: field.text,
  pricePerHour: field.money,
  ...periodFields,
})
