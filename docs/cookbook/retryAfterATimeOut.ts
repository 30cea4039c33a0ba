import { newId } from '@holdfast/client'
import type { Kitchen } from './kitchen.js'

/** Retry after a time-out: choose the id yourself, keep it, and send the same request again. */
export default async function ({ admin, ada }: Kitchen): Promise<void> {
  const car = await admin.createCar({ name: 'Beetle', pricePerHour: 1000 })
  const period = { from: new Date('2031-05-02T09:00Z'), to: new Date('2031-05-02T10:00Z') }
  const request = { bookingId: newId(), carId: car.id, ...period }

  // The client itself sends again within its deadline. When you stop waiting, whether it was done is unknown.
  const impatient = new AbortController()
  const first = ada.holdfast.createBooking(request, { signal: impatient.signal })
  impatient.abort()
  await first.catch((error: Error) => console.log(error.name)) // AbortError

  // The very same request settles it: it is done once, whatever became of the first.
  const booking = await ada.holdfast.createBooking(request)
  const again = await ada.holdfast.createBooking(request)
  console.log(booking.state, booking.id === again.id) // COMMITTED true
  const { items } = await ada.holdfast.listLedger({ userId: ada.user.id })
  console.log(items.filter(({ causeId }) => causeId === request.bookingId).length) // 1
}
