import type { mongo } from 'mongoose'
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
 * What a user would write instead: one insert and two guarded updates in a transaction. The contended car comes last,
 * so that its conflicts are as short as they can be.
 */
export async function bookInTransaction(
  client: mongo.MongoClient,
  { bookings, cars, users }: Collections,
  request: BookingRequest,
): Promise<void> {
  await client.withSession((session) =>
    session.withTransaction(
      async () => {
        await bookings.insertOne(bookingDocument(request, 'COMMITTED'), { session })
        const user = await users.updateOne(
          { _id: request.userId, ...hasFunds(request) },
          {
            $inc: { balance: -request.cost },
            $push: { bookings: request.bookingId, recentLedger: ledgerRecord(request) },
            $set: { updatedAt: new Date() },
          } as never,
          { session },
        )
        if (user.matchedCount === 0) throw new Refused('insufficient funds')
        const car = await cars.updateOne(
          { _id: request.carId, ...carIsFree(request) },
          { $push: { bookings: carRecord(request) }, $set: { updatedAt: new Date() } },
          { session },
        )
        if (car.matchedCount === 0) throw new Refused('car unavailable')
      },
      { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } },
    ),
  )
}

/** Arm 1. */
export async function transactionArm(uri: string): Promise<Arm> {
  const client = await openClient(uri)
  const collections = collectionsOf(client.db())
  return {
    number: 1,
    book: (request) => bookInTransaction(client, collections, request).then(() => ACCEPTED, outcomeOfError),
    productPids: () => [],
    ask: asksNothing,
    audit: () => Promise.resolve([]),
    close: () => client.close(),
  }
}
