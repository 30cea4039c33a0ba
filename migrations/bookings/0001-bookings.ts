import { clearValidator, dropIndex, setValidator, type Migration } from '../../platform/migrations/migration.js'

const id = { bsonType: 'objectId' }
const date = { bsonType: 'date' }
const text = { bsonType: 'string' }
const state = { enum: ['INITIAL', 'PENDING', 'APPLIED', 'COMMITTED', 'CANCELLING', 'CANCELLED'] }

const schema = {
  bsonType: 'object',
  required: [
    'userId',
    'carId',
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

const OUTSTANDING = { state: { $in: ['INITIAL', 'PENDING', 'APPLIED', 'CANCELLING'] } }

export default {
  async up(db) {
    await setValidator(db, 'bookings', schema)
    await db.collection('bookings').createIndexes([
      // The protocol relies on these two: a second outstanding booking and a second reversal fail at their insert.
      { key: { userId: 1 }, name: 'one_outstanding_per_user', unique: true, partialFilterExpression: OUTSTANDING },
      {
        key: { reverses: 1 },
        name: 'one_reversal_per_booking',
        unique: true,
        partialFilterExpression: { reverses: { $exists: true } },
      },
      // By createdAt, which never changes: a booking enters and leaves it once, instead of moving at every step.
      { key: { createdAt: 1 }, name: 'recovery', partialFilterExpression: OUTSTANDING },
      { key: { userId: 1, createdAt: -1, _id: -1 }, name: 'by_user_and_age' },
      { key: { createdAt: -1, _id: -1 }, name: 'by_age' },
    ])
  },
  async down(db) {
    const names = ['one_outstanding_per_user', 'one_reversal_per_booking', 'recovery', 'by_user_and_age', 'by_age']
    for (const name of names) await dropIndex(db, 'bookings', name)
    await clearValidator(db, 'bookings')
  },
} satisfies Migration
