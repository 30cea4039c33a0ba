import { z } from 'zod'
import { operation } from '../../../../platform/contract/contract.js'
import { id, listOf, name, page, price, version } from '../../../../platform/contract/types.js'
import {
  bothOrNeither,
  defineThing,
  fromBeforeTo,
  maybePeriod,
  ORDER,
  PAIR,
  period,
  thingShape,
} from '../kind.rules.js'

declare module '../../../../platform/contract/errors.js' {
  interface BookableKinds {
    car: true
  }
}

export const car = z.object({
  ...thingShape,
  name: z.string(),
  /** Minor units per started hour. */
  pricePerHour: price,
  /** Admins only. */
  bookings: z.array(z.object({ id, ...period })).optional(),
  pendingBookings: z.array(id).optional(),
})

/** A car is held for a period, which no other booking of it overlaps. */
export default defineThing('car', {
  createCar: operation({
    summary: 'Puts a car up for booking.',
    access: 'admin',
    input: z.strictObject({ carId: id.optional(), name, pricePerHour: price }),
    output: car,
    errors: ['car_id_reused'],
    deadline: 'quick',
    idempotent: true,
    newId: 'carId',
  }),
  updateCar: operation({
    summary: 'Changes name or price (of later bookings), or retires the car: bookings stand, new ones are refused.',
    access: 'admin',
    input: z.strictObject({
      carId: id,
      version,
      set: z
        .strictObject({ name: name.optional(), pricePerHour: price.optional(), retired: z.boolean().optional() })
        .refine((set) => Object.keys(set).length > 0, 'needs at least one field'),
    }),
    output: car,
    errors: ['car_not_found', 'version_conflict'],
    deadline: 'quick',
    idempotent: false,
    key: ({ carId }) => carId,
  }),
  listCars: operation({
    summary: 'Cars, oldest first; with a period only those that are free in it. Retired ones are for admins.',
    access: 'user',
    input: z
      .strictObject({ ...maybePeriod, ...page })
      .refine(bothOrNeither, PAIR)
      .refine(fromBeforeTo, ORDER),
    output: listOf(car),
    errors: ['invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  getCar: operation({
    summary: 'One car; with a period also when it is busy in it.',
    access: 'user',
    input: z
      .strictObject({ carId: id, ...maybePeriod })
      .refine(bothOrNeither, PAIR)
      .refine(fromBeforeTo, ORDER),
    output: car.extend({ busy: z.array(z.object(period)).optional() }),
    errors: ['car_not_found'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
})
