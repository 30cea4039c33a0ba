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

const refund = {
  bsonType: 'object',
  required: ['_id', 'amount', 'origin', 'via', 'state', 'seller', 'reason', 'attempt', 'createdAt', 'lastModified'],
  properties: {
    _id: id,
    amount: price,
    origin: { enum: ['order', 'admin', 'stripe', 'dispute'] },
    via: { enum: ['balance', 'stripe'] },
    state: { enum: ['waiting', 'sending', 'pending', 'disputed', 'refunded', 'failed', 'rejected'] },
    seller: { enum: ['none', 'debiting', 'debited', 'owes', 'waived', 'crediting', 'credited'] },
    reason: text,
    debitId: id,
    creditId: id,
    payoutId: id,
    attempt: count,
    stripeId: text,
    stripeStatus: text,
    request: { bsonType: 'object', required: ['by', 'hash'], properties: { by: text, hash: text } },
    createdAt: date,
    lastModified: date,
  },
}

const charge = {
  bsonType: 'object',
  required: [
    'orderId',
    'userId',
    'sellerId',
    'amount',
    'method',
    'state',
    'paymentId',
    'payoutId',
    'left',
    'refunds',
    'failures',
    'parked',
    'attention',
    'version',
    'revision',
    'request',
    'createdAt',
    'lastModified',
  ],
  properties: {
    _id: id,
    orderId: id,
    userId: id,
    sellerId: id,
    amount: price,
    method: { enum: ['balance', 'stripe'] },
    state: { enum: ['pending', 'failed', 'paid', 'accepted', 'settled', 'refunding', 'refunded'] },
    reason: text,
    paymentId: id,
    payoutId: id,
    left: price,
    received: price,
    refunds: { bsonType: 'array', items: refund },
    intentId: text,
    clientSecret: text,
    paymentMethodId: text,
    abandoned: text,
    dueAt: date,
    failures: count,
    parked: { bsonType: 'bool' },
    attention: { bsonType: 'bool' },
    unseen: { bsonType: 'bool' },
    revision: count,
    version: count,
    request: { bsonType: 'object', required: ['by', 'hash'], properties: { by: text, hash: text } },
    createdAt: date,
    lastModified: date,
  },
}

const orderCopy = {
  bsonType: 'object',
  required: ['userId', 'sellerId', 'ticketId', 'price', 'state', 'reason', 'chargeId', 'version'],
  properties: {
    _id: id,
    userId: id,
    sellerId: id,
    ticketId: id,
    price,
    state: text,
    reason: { bsonType: ['string', 'null'] },
    chargeId: { bsonType: ['objectId', 'null'] },
    version: count,
  },
}

export default {
  async up(db) {
    await setValidator(db, 'charges', charge)
    await db.collection('charges').createIndexes([
      { key: { userId: 1, createdAt: -1, _id: -1 }, name: 'by_buyer_and_age' },
      { key: { orderId: 1, createdAt: -1, _id: -1 }, name: 'by_order_and_age' },
      { key: { createdAt: -1, _id: -1 }, name: 'by_age' },
      // Webhooks name the intent.
      {
        key: { intentId: 1 },
        name: 'one_charge_per_intent',
        unique: true,
        partialFilterExpression: { intentId: { $exists: true } },
      },
      // Clients choose the ids of refunds: each belongs to one charge.
      {
        key: { 'refunds._id': 1 },
        name: 'one_charge_per_refund',
        unique: true,
        partialFilterExpression: { 'refunds._id': { $exists: true } },
      },
      // Those that failed come last.
      {
        key: { failures: 1, dueAt: 1 },
        name: 'recovery',
        partialFilterExpression: { dueAt: { $exists: true } },
      },
      {
        key: { attention: 1, createdAt: -1, _id: -1 },
        name: 'waiting_for_an_admin',
        partialFilterExpression: { attention: true },
      },
    ])
    await setValidator(db, 'orderCopies', orderCopy)
    await createEvents(db)
  },
  async down(db) {
    for (const name of [
      'by_buyer_and_age',
      'by_order_and_age',
      'by_age',
      'one_charge_per_intent',
      'one_charge_per_refund',
      'recovery',
      'waiting_for_an_admin',
    ]) {
      await dropIndex(db, 'charges', name)
    }
    await clearValidator(db, 'charges')
    await clearValidator(db, 'orderCopies')
    await dropEvents(db)
  },
} satisfies Migration
