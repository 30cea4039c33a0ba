import type { z } from 'zod'
import type { Caller } from '../../../../platform/contract/caller.js'
import type { CarDocument } from './car.model.js'
import type { car } from './contract.js'

/** A car as clients see it. Who booked it is for admins alone. */
export const presentCar = (c: CarDocument, caller: Caller | null): z.output<typeof car> => ({
  id: c._id.toHexString(),
  name: c.name,
  pricePerHour: c.pricePerHour,
  retired: c.retired,
  version: c.version,
  ...(caller?.role !== 'user' && {
    bookings: c.bookings.map(({ _id, from, to }) => ({
      id: _id.toHexString(),
      from: from.toISOString(),
      to: to.toISOString(),
    })),
    pendingBookings: c.pendingBookings.map((each) => each.toHexString()),
  }),
  createdAt: c.createdAt.toISOString(),
  updatedAt: c.updatedAt.toISOString(),
})
