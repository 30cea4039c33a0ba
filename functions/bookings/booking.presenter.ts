import type { z } from 'zod'
import type { Caller } from '../../platform/contract/caller.js'
import { isTrainBooking, type BookingDocument } from './booking.model.js'
import type { CarDocument } from './kinds/car/car.model.js'
import type { booking, car } from './contract.js'

/** Documents as clients see them. */

export const presentBooking = (b: BookingDocument): z.output<typeof booking> => ({
  id: b._id.toHexString(),
  userId: b.userId.toHexString(),
  ...(b.carId && { carId: b.carId.toHexString() }),
  ...(isTrainBooking(b) && {
    trainId: b.trainId.toHexString(),
    passengers: b.passengers.map((name, i) => ({ name, ...(b.seats && { seat: b.seats[i] as number }) })),
    version: b.version ?? 0,
  }),
  from: b.from.toISOString(),
  to: b.to.toISOString(),
  cost: b.cost,
  state: b.state,
  ...(b.reason !== undefined && { reason: b.reason }),
  ...(b.reverses && { reverses: b.reverses.toHexString() }),
  ...(b.parked && { parked: true }),
  createdAt: b.createdAt.toISOString(),
  lastModified: b.lastModified.toISOString(),
})

/** Who booked a car is for admins alone. */
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
