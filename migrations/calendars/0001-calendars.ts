import { clearValidator, dropIndex, setValidator, type Migration } from '../../platform/migrations/migration.js'

const id = { bsonType: 'objectId' }
const date = { bsonType: 'date' }
const text = { bsonType: 'string' }
const count = { bsonType: ['int', 'long'], minimum: 1 }

const log = {
  bsonType: 'object',
  required: ['stream', 'number', 'kind', 'requestId', 'at', 'invitation'],
  properties: {
    _id: { bsonType: 'long', minimum: 1 },
    stream: { bsonType: 'string', pattern: '^[0-9a-f]{24}$' },
    number: count,
    kind: {
      enum: [
        'invited',
        'rescheduled',
        'withdrawn',
        'rejected',
        'confirmation_started',
        'confirmation_refused',
        'confirmed',
        'move_proposed',
        'move_declined',
        'moved',
        'cancellation_started',
        'cancellation_refused',
        'cancelled',
      ],
    },
    key: text,
    by: { bsonType: ['objectId', 'null'] },
    requestId: text,
    at: date,
    invitation: {
      bsonType: 'object',
      required: ['buyerId', 'sellerId', 'from', 'to', 'note', 'state'],
      properties: {
        buyerId: id,
        sellerId: id,
        from: date,
        to: date,
        note: text,
        price: { bsonType: 'long', minimum: 0, maximum: 1000000000000 },
        state: { enum: ['invited', 'confirming', 'confirmed', 'cancelling', 'cancelled', 'rejected', 'withdrawn'] },
        reason: text,
        confirmationId: id,
        paymentId: id,
        proposal: {
          bsonType: 'object',
          required: ['by', 'from', 'to'],
          properties: { by: { enum: ['buyer', 'seller'] }, from: date, to: date },
        },
        cancelledBy: { enum: ['buyer', 'seller', 'admin'] },
        refundId: id,
      },
    },
    previous: { bsonType: 'object', required: ['from', 'to'], properties: { from: date, to: date } },
    request: { bsonType: 'object', required: ['by', 'hash'], properties: { by: text, hash: text } },
  },
}

/** Not the items of arrays that grow: every write would check all of them. */
const head = {
  bsonType: 'object',
  required: ['holds', 'settling', 'forgottenBefore', 'live'],
  properties: {
    _id: id,
    holds: { bsonType: 'array' },
    settling: { bsonType: 'array' },
    forgottenBefore: date,
    live: { bsonType: 'object' },
  },
}

const view = {
  bsonType: 'object',
  required: ['generation', 'userId', 'as', 'month', 'items'],
  properties: {
    _id: { bsonType: 'string', pattern: '^[1-9][0-9]*:[0-9a-f]{24}:(seller|buyer):[0-9]{4,}-[0-9]{2}$' },
    generation: count,
    userId: id,
    as: { enum: ['seller', 'buyer'] },
    month: text,
    items: { bsonType: 'array' },
  },
}

/** The same collection and validator as in migrations/messages: the two domains may share a database. */
const progress = {
  bsonType: 'object',
  required: ['generation', 'offsets', 'version', 'at'],
  properties: {
    _id: text,
    generation: count,
    offsets: { bsonType: 'array', minItems: 16, maxItems: 16 },
    version: count,
    at: date,
  },
}

export default {
  async up(db) {
    await setValidator(db, 'bookingLog', log)
    await db.collection('bookingLog').createIndexes([
      // With `_id` these two are the log's compare-and-set: of two entries that would follow the same one, one is refused.
      { key: { stream: 1, number: 1 }, name: 'one_entry_per_number', unique: true },
      {
        key: { key: 1 },
        name: 'one_entry_per_key',
        unique: true,
        partialFilterExpression: { key: { $exists: true } },
      },
    ])
    await setValidator(db, 'calendarHeads', head)
    await db.collection('calendarHeads').createIndexes([
      // Recovery looks for invitations whose payment is under way; few heads have one.
      {
        key: { 'settling.since': 1 },
        name: 'settling',
        partialFilterExpression: { 'settling.since': { $exists: true } },
      },
      { key: { 'holds.to': 1 }, name: 'ended_holds' },
    ])
    await setValidator(db, 'calendars', view)
    await setValidator(db, 'projections', progress)
  },
  async down(db) {
    for (const name of ['one_entry_per_number', 'one_entry_per_key']) await dropIndex(db, 'bookingLog', name)
    for (const name of ['settling', 'ended_holds']) await dropIndex(db, 'calendarHeads', name)
    for (const name of ['bookingLog', 'calendarHeads', 'calendars', 'projections']) await clearValidator(db, name)
  },
} satisfies Migration
