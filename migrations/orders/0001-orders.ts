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
const price = { bsonType: 'long', minimum: 0, maximum: 1000000000000 }

const order = {
  bsonType: 'object',
  required: [
    'userId',
    'ticketId',
    'sellerId',
    'price',
    'state',
    'expiresAt',
    'hold',
    'refusedCharges',
    'version',
    'request',
    'createdAt',
    'updatedAt',
  ],
  properties: {
    _id: id,
    userId: id,
    ticketId: id,
    sellerId: id,
    price,
    state: { enum: ['created', 'awaiting_payment', 'complete', 'cancelled'] },
    reason: { enum: ['expired', 'cancelled_by_user', 'cancelled_by_admin', 'refunded'] },
    expiresAt: date,
    hold: { bsonType: ['int', 'long'], minimum: 1 },
    chargeId: id,
    refusedCharges: {
      bsonType: 'array',
      items: { bsonType: 'object', required: ['chargeId', 'reason'], properties: { chargeId: id, reason: text } },
    },
    version: count,
    request: { bsonType: 'object', required: ['by', 'hash'], properties: { by: text, hash: text } },
    createdAt: date,
    updatedAt: date,
  },
}

const ticketCopy = {
  bsonType: 'object',
  required: ['userId', 'title', 'price', 'orderId', 'version'],
  properties: { _id: id, userId: id, title: text, price, orderId: { bsonType: ['objectId', 'null'] }, version: count },
}

export default {
  async up(db) {
    await setValidator(db, 'orders', order)
    await db.collection('orders').createIndexes([
      // Who holds a ticket is decided by this index: of all orders that want it, one is there.
      {
        key: { ticketId: 1 },
        name: 'one_holder_per_ticket',
        unique: true,
        partialFilterExpression: { state: { $in: ['created', 'awaiting_payment', 'complete'] } },
      },
      { key: { ticketId: 1, hold: -1 }, name: 'one_order_per_hold', unique: true },
      { key: { userId: 1, createdAt: -1, _id: -1 }, name: 'by_buyer_and_age' },
      { key: { createdAt: -1, _id: -1 }, name: 'by_age' },
    ])
    await setValidator(db, 'ticketCopies', ticketCopy)
    await createEvents(db)
  },
  async down(db) {
    for (const name of ['one_holder_per_ticket', 'one_order_per_hold', 'by_buyer_and_age', 'by_age']) {
      await dropIndex(db, 'orders', name)
    }
    await clearValidator(db, 'orders')
    await clearValidator(db, 'ticketCopies')
    await dropEvents(db)
  },
} satisfies Migration
