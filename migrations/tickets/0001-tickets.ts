import {
  clearValidator,
  createEvents,
  dropEvents,
  dropIndex,
  setValidator,
  type Migration,
} from '../../platform/migrations/migration.js'

const id = { bsonType: 'objectId' }
const date = { bsonType: 'date' }
const text = { bsonType: 'string' }
const count = { bsonType: ['int', 'long'], minimum: 0 }

const schema = {
  bsonType: 'object',
  required: ['userId', 'title', 'price', 'hold', 'version', 'request', 'createdAt', 'updatedAt'],
  properties: {
    _id: id,
    userId: id,
    title: text,
    price: { bsonType: 'long', minimum: 0, maximum: 1000000000000 },
    orderId: id,
    hold: count,
    version: count,
    request: { bsonType: 'object', required: ['by', 'hash'], properties: { by: text, hash: text } },
    createdAt: date,
    updatedAt: date,
  },
}

export default {
  async up(db) {
    await setValidator(db, 'tickets', schema)
    await db.collection('tickets').createIndexes([
      { key: { createdAt: 1, _id: 1 }, name: 'by_age' },
      { key: { userId: 1, createdAt: 1, _id: 1 }, name: 'by_seller_and_age' },
      { key: { orderId: 1, createdAt: 1, _id: 1 }, name: 'by_lock_and_age' },
    ])
    await createEvents(db)
  },
  async down(db) {
    for (const name of ['by_age', 'by_seller_and_age', 'by_lock_and_age']) await dropIndex(db, 'tickets', name)
    await clearValidator(db, 'tickets')
    await dropEvents(db)
  },
} satisfies Migration
