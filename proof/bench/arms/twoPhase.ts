import type { BookingRequest } from '../workload.js'
import { ACCEPTED, asksNothing, type Arm } from './arm.js'
import {
  bookingDocument,
  carIsFree,
  carRecord,
  collectionsOf,
  hasFunds,
  ledgerRecord,
  openClient,
  outcomeOfError,
  Refused,
  type Collections,
} from './documents.js'

/**
 * Arm 2: the pattern "two phase commits" of older MongoDB manuals, as written there: eight durable writes, one after the
 * other, none shared.
 */
export async function twoPhaseArm(uri: string): Promise<Arm> {
  const client = await openClient(uri)
  const collections = collectionsOf(client.db())
  return {
    number: 2,
    book: (request) => bookInTwoPhases(collections, request).then(() => ACCEPTED, outcomeOfError),
    productPids: () => [],
    ask: asksNothing,
    audit: () => Promise.resolve([]),
    close: () => client.close(),
  }
}

async function bookInTwoPhases({ bookings, cars, users }: Collections, request: BookingRequest): Promise<void> {
  const { bookingId, userId, carId } = request
  const move = async (from: string, to: string): Promise<void> => {
    const moved = await bookings.updateOne(
      { _id: bookingId, state: from },
      { $set: { state: to, lastModified: new Date() } },
    )
    if (moved.matchedCount === 0) throw new Error(`not ${from}`)
  }

  await bookings.insertOne(bookingDocument(request, 'INITIAL'))
  await move('INITIAL', 'PENDING')
  const user = await users.updateOne({ _id: userId, pendingBookings: { $ne: bookingId }, ...hasFunds(request) }, {
    $inc: { balance: -request.cost },
    $push: { pendingBookings: bookingId, bookings: bookingId, recentLedger: ledgerRecord(request) },
    $set: { updatedAt: new Date() },
  } as never)
  if (user.matchedCount === 0) throw new Refused('insufficient funds')
  const car = await cars.updateOne(
    { _id: carId, pendingBookings: { $ne: bookingId }, ...carIsFree(request) },
    {
      $push: { pendingBookings: bookingId, bookings: carRecord(request) },
      $set: { updatedAt: new Date() },
    },
  )
  if (car.matchedCount === 0) throw new Refused('car unavailable')
  await move('PENDING', 'APPLIED')
  await users.updateOne({ _id: userId, pendingBookings: bookingId }, { $pull: { pendingBookings: bookingId } })
  await cars.updateOne({ _id: carId, pendingBookings: bookingId }, { $pull: { pendingBookings: bookingId } })
  await move('APPLIED', 'COMMITTED')
}
