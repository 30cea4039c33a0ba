import { clearValidator, dropIndex, setValidator, type Migration } from '../../platform/migrations/migration.js'

const date = { bsonType: 'date' }
const text = { bsonType: 'string' }

const schema = {
  bsonType: 'object',
  required: ['userId', 'amount', 'state', 'request', 'requestId', 'createdAt', 'lastModified'],
  properties: {
    _id: { bsonType: 'objectId' },
    userId: { bsonType: 'objectId' },
    amount: { bsonType: 'long', minimum: 1, maximum: 9007199254740991 },
    state: { enum: ['PENDING', 'COMMITTED', 'CANCELLED'] },
    reason: text,
    failures: { bsonType: ['int', 'long'], minimum: 0 },
    parked: { bsonType: 'bool' },
    request: { bsonType: 'object', required: ['by', 'hash'], properties: { by: text, hash: text } },
    requestId: text,
    createdAt: date,
    lastModified: date,
  },
}

export default {
  async up(db) {
    for (const collection of ['deposits', 'withdrawals']) {
      await setValidator(db, collection, schema)
      // What recovery looks for. By createdAt, which never changes: a transfer enters and leaves the index once.
      await db
        .collection(collection)
        .createIndex({ createdAt: 1 }, { name: 'recovery', partialFilterExpression: { state: 'PENDING' } })
    }
  },
  async down(db) {
    for (const collection of ['deposits', 'withdrawals']) {
      await dropIndex(db, collection, 'recovery')
      await clearValidator(db, collection)
    }
  },
} satisfies Migration
