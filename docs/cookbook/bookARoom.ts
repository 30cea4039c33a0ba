import { isRefusal } from '@holdfast/client'
import type { Kitchen } from './kitchen.js'

/** Book a room, and tell why it could not be had. */
export default async function ({ admin, ada, bob }: Kitchen): Promise<void> {
  const room = await admin.createRoom({ name: 'Attic', pricePerNight: 9000, units: 1 })
  const request = { roomId: room.id, from: new Date('2031-05-01T15:00Z'), to: new Date('2031-05-03T10:00Z') }

  // maxCost: a price that was raised meanwhile is refused, not paid.
  const booking = await ada.holdfast.createBooking({ ...request, maxCost: 18_000 })
  console.log(booking.state, booking.cost) // COMMITTED 18000

  try {
    await bob.holdfast.createBooking(request)
  } catch (error) {
    if (!isRefusal(error, 'createBooking')) throw error
    console.log(error.code) // room_unavailable
  }
  const { free } = await bob.holdfast.getRoom(request)
  console.log(free) // 0
}
