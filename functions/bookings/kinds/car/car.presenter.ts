import type { z } from 'zod'
import type { Caller } from '../../../../platform/contract/caller.js'
import { presentThing } from '../../thing.kinds.js'
import type { CarDocument } from './car.model.js'
import type { car } from './contract.js'

/** A car as clients see it. Who booked it is for admins alone. */
export const presentCar = (c: CarDocument, caller: Caller | null): z.output<typeof car> => ({
  ...presentThing(c),
  name: c.name,
  pricePerHour: c.pricePerHour,
  ...(caller?.role !== 'user' && {
    bookings: c.bookings.map(({ _id, from, to }) => ({
      id: _id.toHexString(),
      from: from.toISOString(),
      to: to.toISOString(),
    })),
    pendingBookings: c.pendingBookings.map((each) => each.toHexString()),
  }),
})
