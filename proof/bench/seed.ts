import type { mongo } from 'mongoose'
import type { CarDocument } from '../../functions/bookings/kinds/car/car.model.js'
import type { TransferDocument } from '../../functions/users/transfer.model.js'
import type { UserDocument } from '../../functions/users/user.model.js'
import { long } from '../../platform/database/long.js'
import { ADMIN, BALANCE, CARS, carIdOf, PRICE, USERS, userIdOf } from './workload.js'

const DAY_MS = 24 * 3_600_000
/** What is stored at the start is a month old. */
const CREATED_MS = Date.now() - 30 * DAY_MS
const CREATED = new Date(CREATED_MS)
const EPOCH = new Date(0)
const REQUEST = { by: 'system', hash: '' }
const BATCH = 5000

/** Empties the collections that bookings touch and fills in users and cars; indexes and validators stay. */
export async function refill(db: mongo.Db): Promise<void> {
  await Promise.all(['bookings', 'cars', 'deposits', 'ledger'].map((name) => db.collection(name).deleteMany({})))
  await replaceUsers(db.collection('users'))
  await insertAll(db.collection('deposits'), USERS + 1, depositDocument)
  await insertAll(db.collection('cars'), CARS, carDocument)
}

/** Each in one step: the session of a connected user whose document is gone, if only for a moment, ends. */
async function replaceUsers(users: mongo.Collection): Promise<void> {
  const documents = Array.from({ length: USERS + 1 }, (_, n) => userDocument(n))
  await users.deleteMany({ _id: { $nin: documents.map(({ _id }) => _id as mongo.ObjectId) } })
  await users.bulkWrite(
    documents.map((replacement) => {
      const { _id, ...rest } = replacement
      return { replaceOne: { filter: { _id: _id as mongo.ObjectId }, replacement: rest, upsert: true } }
    }),
    { ordered: false, writeConcern: { w: 'majority' } },
  )
}

export async function insertAll(
  collection: mongo.Collection,
  count: number,
  make: (n: number) => mongo.Document,
): Promise<void> {
  for (let first = 0; first < count; first += BATCH) {
    const documents = Array.from({ length: Math.min(BATCH, count - first) }, (_, i) => make(first + i))
    // The product reads with majority: what it is to find must be there.
    const last = first + BATCH >= count
    await collection.insertMany(documents, { ordered: false, writeConcern: { w: last ? 'majority' : 1 } })
  }
}

/** The deposit that a user's opening balance comes from. */
export const depositDocument = (n: number): mongo.Document =>
  ({
    _id: userIdOf(n),
    userId: userIdOf(n),
    amount: long(BALANCE),
    state: 'COMMITTED',
    request: REQUEST,
    requestId: 'seed',
    createdAt: CREATED,
    lastModified: CREATED,
  }) satisfies Omit<TransferDocument, 'amount'> & { amount: unknown }

export function userDocument(n: number): mongo.Document {
  const _id = userIdOf(n)
  return {
    _id,
    name: `User ${n}`,
    nameKey: `user ${n}`,
    email: `user${n}@example.com`,
    role: n === ADMIN ? 'admin' : 'user',
    tokenVersion: 0,
    balance: long(BALANCE),
    netDeposits: long(BALANCE) as unknown as number,
    bookings: [],
    pendingBookings: [],
    tombstones: [],
    forgottenBefore: EPOCH,
    transfers: [`deposit:${_id.toHexString()}`],
    voidedTransfers: [],
    recentLedger: [{ at: CREATED, cause: 'deposit', causeId: _id, change: long(BALANCE) as unknown as number }],
    archivedLedger: { count: 0, balance: long(0) as unknown as number },
    version: 0,
    request: REQUEST,
    createdAt: CREATED,
    updatedAt: CREATED,
  } satisfies Omit<UserDocument, 'balance'> & { balance: unknown }
}

export const carDocument = (n: number): mongo.Document =>
  ({
    _id: carIdOf(n),
    name: `Car ${n}`,
    pricePerHour: long(PRICE),
    retired: false,
    bookings: [],
    pendingBookings: [],
    tombstones: [],
    forgottenBefore: EPOCH,
    version: 0,
    request: REQUEST,
    createdAt: CREATED,
    updatedAt: CREATED,
  }) satisfies Omit<CarDocument, 'pricePerHour'> & { pricePerHour: unknown }
