import { clearValidator, dropIndex, setValidator, type Migration } from '../../platform/migrations/migration.js'

const id = { bsonType: 'objectId' }
const date = { bsonType: 'date' }
const text = { bsonType: 'string' }
const count = { bsonType: ['int', 'long'], minimum: 0 }
const state = { enum: ['INITIAL', 'PENDING', 'APPLIED', 'COMMITTED', 'CANCELLING', 'CANCELLED'] }

const schema = {
  bsonType: 'object',
  required: [
    'amount',
    'cause',
    'state',
    'epoch',
    'recoveries',
    'parked',
    'repairs',
    'requestId',
    'createdAt',
    'lastModified',
  ],
  properties: {
    _id: id,
    payerId: id,
    payeeId: id,
    amount: { bsonType: 'long', minimum: 0, maximum: 9007199254740991 },
    cause: { bsonType: 'object', required: ['type', 'id'], properties: { type: text, id } },
    state,
    epoch: { bsonType: ['int', 'long'], minimum: 1 },
    reason: text,
    reverses: id,
    originalCreatedAt: date,
    recoveries: count,
    parked: { bsonType: 'bool' },
    repairs: {
      bsonType: 'array',
      items: {
        bsonType: 'object',
        required: ['at', 'by', 'from', 'why'],
        properties: { at: date, by: text, from: state, why: text },
      },
    },
    requestId: text,
    createdAt: date,
    lastModified: date,
  },
}

const OUTSTANDING = { state: { $in: ['INITIAL', 'PENDING', 'APPLIED', 'CANCELLING'] } }

export default {
  async up(db) {
    await setValidator(db, 'payments', schema)
    await db.collection('payments').createIndexes([
      // The protocol relies on it: a second reversal fails at its insert.
      {
        key: { reverses: 1 },
        name: 'one_reversal_per_payment',
        unique: true,
        partialFilterExpression: { reverses: { $exists: true } },
      },
      // By createdAt, which never changes: a payment enters and leaves it once, instead of moving at every step.
      { key: { createdAt: 1 }, name: 'recovery', partialFilterExpression: OUTSTANDING },
      // What the audit asks for.
      { key: { payerId: 1 }, name: 'by_payer', partialFilterExpression: { payerId: { $exists: true } } },
      { key: { payeeId: 1 }, name: 'by_payee', partialFilterExpression: { payeeId: { $exists: true } } },
    ])
  },
  async down(db) {
    for (const name of ['one_reversal_per_payment', 'recovery', 'by_payer', 'by_payee']) {
      await dropIndex(db, 'payments', name)
    }
    await clearValidator(db, 'payments')
  },
} satisfies Migration
