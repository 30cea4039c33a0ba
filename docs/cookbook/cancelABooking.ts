import type { Kitchen } from './kitchen.js'

/** Cancel a booking: the thing is free again, and the money is back, when the answer comes. */
export default async function ({ admin, ada }: Kitchen): Promise<void> {
  const { holdfast, user } = ada
  const car = await admin.createCar({ name: 'Kombi', pricePerHour: 1250 })
  const period = { from: new Date('2031-05-01T09:00Z'), to: new Date('2031-05-01T12:00Z') }
  const before = (await holdfast.getUser({ userId: user.id })).balance
  const { id: bookingId } = await holdfast.createBooking({ carId: car.id, ...period })

  const { booking, reversal } = await holdfast.cancelBooking({ bookingId })
  // What was made and paid for stays COMMITTED; a second booking takes it back.
  console.log(booking.state, booking.standing) // COMMITTED cancelled
  console.log(reversal?.reverses === bookingId) // true
  const after = (await holdfast.getUser({ userId: user.id })).balance
  console.log(after - before) // 0
  const { items } = await holdfast.listCars(period)
  console.log(items.some(({ id }) => id === car.id)) // true
}
