import { bookings } from '../../functions/bookings/contract.js'
import { trains } from '../../functions/trains/contract.js'
import type { Output } from '../../platform/contract/contract.js'
import type { Caller } from '../../platform/contract/caller.js'
import type { TestSystem } from '../support/system.js'
import { until } from '../../proof/support/until.js'

export async function makeTrain(
  system: TestSystem,
  { route = 'A - B', seats = 10, price = 1000 }: { route?: string; seats?: number; price?: number } = {},
): Promise<string> {
  const train = await system.run(trains.createTrain, {
    route,
    departureTime: '2031-06-01T08:00:00.000Z',
    arrivalTime: '2031-06-01T12:00:00.000Z',
    availableSeats: seats,
    pricePerSeat: price,
  })
  return train.id
}

/** The booking, if it has come to its end. */
export async function ended(system: TestSystem, bookingId: string) {
  const booking = await system.run(bookings.getBooking, { bookingId })
  return ['COMMITTED', 'CANCELLED'].includes(booking.state) ? booking : undefined
}

export const settled = (system: TestSystem, bookingId: string): Promise<Output<typeof bookings.getBooking>> =>
  until(() => ended(system, bookingId), { what: `booking ${bookingId} to end`, timeoutMs: 30_000 })

/** Books seats and waits for the outcome. */
export async function bookSeats(system: TestSystem, buyer: Caller, trainId: string, names: string[]) {
  const passengers = names.map((name) => ({ name }))
  const { bookingId } = await system.run(bookings.startBooking, { trainId, passengers }, buyer)
  return settled(system, bookingId)
}
