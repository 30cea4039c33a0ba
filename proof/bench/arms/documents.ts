import mongoose, { type mongo } from 'mongoose'
import type { BookingDocument } from '../../../functions/bookings/booking.model.js'
import type { CarDocument } from '../../../functions/bookings/kinds/car/car.model.js'
import type { UserDocument } from '../../../functions/users/user.model.js'
import { long } from '../../../platform/database/long.js'
import type { BookingRequest } from '../workload.js'
import type { Outcome } from './arm.js'

/**
 * The documents and guards that the hand-written arms share with the product: every arm leaves the same effect in the
 * same collections, so that one audit judges them all.
 */
export interface Collections {
  bookings: mongo.Collection
  cars: mongo.Collection<CarDocument>
  users: mongo.Collection<UserDocument>
}

export const collectionsOf = (db: mongo.Db): Collections => ({
  bookings: db.collection('bookings'),
  cars: db.collection('cars'),
  users: db.collection('users'),
})

export const bookingDocument = (r: BookingRequest, state: BookingDocument['state']): mongo.Document => {
  const at = new Date()
  return {
    _id: r.bookingId,
    userId: r.userId,
    carId: r.carId,
    from: r.from,
    to: r.to,
    cost: long(r.cost),
    state,
    epoch: 1,
    recoveries: 0,
    parked: false,
    repairs: [],
    request: { by: r.userId.toHexString(), hash: '' },
    requestId: r.bookingId.toHexString(),
    createdAt: at,
    lastModified: at,
  }
}

export const carIsFree = ({ from, to }: BookingRequest): mongo.Document => ({
  retired: false,
  $nor: [{ bookings: { $elemMatch: { from: { $lt: to }, to: { $gt: from } } } }],
})
export const carRecord = ({ bookingId, from, to }: BookingRequest) => ({ _id: bookingId, from, to })

export const hasFunds = ({ cost }: BookingRequest): mongo.Document => ({ balance: { $gte: long(cost) } })
export const ledgerRecord = ({ bookingId, cost }: BookingRequest) => ({
  at: new Date(),
  cause: 'booking',
  causeId: bookingId,
  change: long(-cost),
})

/** A client as the hand-written arms use it; the pool is wide enough for every booking in flight. */
export const openClient = (uri: string): Promise<mongo.MongoClient> =>
  new mongoose.mongo.MongoClient(uri, { maxPoolSize: 256, w: 'majority', ignoreUndefined: true }).connect()

/** A guard did not hold: the answer is no. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

export const outcomeOfError = (error: unknown): Outcome =>
  error instanceof Refused
    ? { result: 'refused', why: error.message }
    : { result: 'failed', why: error instanceof Error ? error.name : String(error) }
