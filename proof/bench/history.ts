import type { mongo } from 'mongoose'
import { calculateObjectSize } from 'bson'
import { long } from '../../platform/database/long.js'
import { bookingDocument, carRecord, ledgerRecord } from './arms/documents.js'
import { depositDocument, insertAll, userDocument } from './seed.js'
import { BALANCE, CARS, PRICE, requestFor, USERS, userIdOf, type BookingRequest } from './workload.js'

/** Books with a past: consistent, as if every booking in them had been made by the product. */

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/**
 * Adds users until so many are stored, each with one COMMITTED booking that cars and users have forgotten, as ended
 * ones are after a day. Answers how many bookings that were.
 */
export async function growTo(db: mongo.Db, stored: number): Promise<number> {
  const present = await db.collection('users').countDocuments()
  const count = stored - present
  const madeMs = Date.now() - 10 * DAY_MS
  const forgottenBefore = new Date(Date.now() - 2 * DAY_MS)
  const requests = (n: number) => requestFor(present + n, n % CARS, n)

  await insertAll(db.collection('users'), count, (n) => {
    const user = userDocument(present + n)
    return {
      ...user,
      balance: long(BALANCE - PRICE),
      forgottenBefore,
      recentLedger: [...(user['recentLedger'] as object[]), { ...ledgerRecord(requests(n)), causeId: bookingIdOf(n) }],
    }
  })
  await insertAll(db.collection('deposits'), count, (n) => depositDocument(present + n))
  await insertAll(db.collection('bookings'), count, (n) => {
    const at = new Date(madeMs + n)
    return { ...bookingDocument(requests(n), 'COMMITTED'), _id: bookingIdOf(n), createdAt: at, lastModified: at }
  })
  return count

  function bookingIdOf(n: number): mongo.ObjectId {
    return userIdOf(0x100000 + present + n)
  }
}

/** Bookings that their owner left PENDING, with no effect yet, an hour ago: of users from the end of those stored. */
export async function insertStuckBookings(db: mongo.Db, count: number, users: number): Promise<void> {
  const at = new Date(Date.now() - HOUR_MS)
  const firstHour = 100_000 + users
  await insertAll(db.collection('bookings'), count, (n) => ({
    ...bookingDocument(requestFor(users - 1 - n, n % CARS, firstHour + n), 'PENDING'),
    createdAt: at,
    lastModified: at,
  }))
}

interface UserBooks {
  _id: mongo.ObjectId
  balance: mongo.Long
  bookings: mongo.ObjectId[]
  recentLedger: ReturnType<typeof ledgerRecord>[]
}

/** Gives the first car so many active bookings, by all users in turn. Answers the size of its document in bytes. */
export async function insertLongBookedCar(db: mongo.Db, activeBookings: number): Promise<number> {
  const requests = Array.from({ length: activeBookings }, (_, hour) => requestFor(hour % USERS, 0, hour))
  const byUser = new Map<number, BookingRequest[]>()
  for (const request of requests) byUser.set(request.user, [...(byUser.get(request.user) ?? []), request])
  await insertAll(db.collection('bookings'), requests.length, (n) =>
    bookingDocument(requests[n] as BookingRequest, 'COMMITTED'),
  )
  await db.collection<UserBooks>('users').bulkWrite(
    [...byUser].map(([user, theirs]) => ({
      updateOne: {
        filter: { _id: userIdOf(user) },
        update: {
          $inc: { balance: long(-theirs.length * PRICE) },
          $push: {
            bookings: { $each: theirs.map(({ bookingId }) => bookingId) },
            recentLedger: { $each: theirs.map(ledgerRecord) },
          },
        },
      },
    })),
  )
  const [first] = requests
  if (!first) return 0
  const bookings = requests.map(carRecord)
  const car = await db
    .collection('cars')
    .findOneAndUpdate({ _id: first.carId }, { $set: { bookings } }, { returnDocument: 'after' })
  return car ? calculateObjectSize(car) : 0
}

/** How many bookings stand, and how much money the users lack for them to have paid for just those. */
export async function storedTotals(db: mongo.Db): Promise<{ committed: number; missing: number }> {
  const committed = await db.collection('bookings').countDocuments({ state: 'COMMITTED' })
  const [sum] = await db
    .collection('users')
    .aggregate<{ spent: number }>([
      { $group: { _id: null, spent: { $sum: { $subtract: [long(BALANCE), '$balance'] } } } },
    ])
    .toArray()
  return { committed, missing: (sum?.spent ?? 0) - committed * PRICE }
}
