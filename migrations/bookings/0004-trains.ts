import { dropIndex, setValidator, type Migration } from '../../platform/migrations/migration.js'

const id = { bsonType: 'objectId' }
const date = { bsonType: 'date' }
const text = { bsonType: 'string' }
const state = { enum: ['INITIAL', 'PENDING', 'APPLIED', 'COMMITTED', 'CANCELLING', 'CANCELLED'] }

/** A booking is of a car, or of seats on a train. */
const schema = {
  bsonType: 'object',
  oneOf: [{ required: ['carId'] }, { required: ['trainId', 'passengers'] }],
  required: [
    'userId',
    'from',
    'to',
    'cost',
    'state',
    'epoch',
    'recoveries',
    'parked',
    'repairs',
    'request',
    'requestId',
    'createdAt',
    'lastModified',
  ],
  properties: {
    _id: id,
    userId: id,
    carId: id,
    trainId: id,
    lobbyId: id,
    passengers: { bsonType: 'array', minItems: 1, items: text },
    seats: { bsonType: 'array', items: { bsonType: ['int', 'long'], minimum: 1 } },
    version: { bsonType: ['int', 'long'], minimum: 0 },
    eventVersion: { bsonType: ['int', 'long'], minimum: 1 },
    from: date,
    to: date,
    cost: { bsonType: 'long', minimum: 0, maximum: 9007199254740991 },
    state,
    epoch: { bsonType: ['int', 'long'], minimum: 1 },
    reason: text,
    reverses: id,
    originalCreatedAt: date,
    recoveries: { bsonType: ['int', 'long'], minimum: 0 },
    parked: { bsonType: 'bool' },
    repairs: {
      bsonType: 'array',
      items: {
        bsonType: 'object',
        required: ['at', 'by', 'from', 'why'],
        properties: { at: date, by: text, from: state, why: text },
      },
    },
    request: { bsonType: 'object', required: ['by', 'hash'], properties: { by: text, hash: text } },
    requestId: text,
    createdAt: date,
    lastModified: date,
  },
}

const OUTSTANDING = { $in: ['INITIAL', 'PENDING', 'APPLIED', 'CANCELLING'] }

/** As 0001 had it: every booking has a car. */
const carsOnly = {
  ...schema,
  oneOf: [{ required: ['carId'] }],
}

export default {
  async up(db) {
    await setValidator(db, 'bookings', schema)
    await db.collection('bookings').createIndex(
      { trainId: 1, createdAt: 1 },
      // Bookings of cars are not in it, and those of trains leave it when they end.
      { name: 'outstanding_by_train', partialFilterExpression: { trainId: { $exists: true }, state: OUTSTANDING } },
    )
  },
  async down(db) {
    await dropIndex(db, 'bookings', 'outstanding_by_train')
    await setValidator(db, 'bookings', carsOnly)
  },
} satisfies Migration
