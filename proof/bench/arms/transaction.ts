import type { mongo } from 'mongoose'
import type { BookingRequest } from '../workload.js'
import { ACCEPTED, asksNothing, type Arm, type Rival } from './arm.js'
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
async function bookInTransaction(
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

/** Of arms 1 and 5. */
export async function openTransactions(uri: string): Promise<Rival> {
  const client = await openClient(uri)
  const collections = collectionsOf(client.db())
  return { book: (request) => bookInTransaction(client, collections, request), close: () => client.close() }
}

/** Arm 1. */
export async function transactionArm(uri: string): Promise<Arm> {
  const { book, close } = await openTransactions(uri)
  return {
    number: 1,
    book: (request) => book(request).then(() => ACCEPTED, outcomeOfError),
    productPids: () => [],
    ask: asksNothing,
    audit: () => Promise.resolve([]),
    close,
  }
}
