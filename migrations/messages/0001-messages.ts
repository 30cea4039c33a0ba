import { clearValidator, dropIndex, setValidator, type Migration } from '../../platform/migrations/migration.js'

const id = { bsonType: 'objectId' }
const date = { bsonType: 'date' }
const text = { bsonType: 'string' }
const count = { bsonType: ['int', 'long'], minimum: 1 }
const amount = { bsonType: ['int', 'long'], minimum: 0 }

const pairOf = (items: object) => ({ bsonType: 'array', minItems: 2, maxItems: 2, items })

const log = {
  bsonType: 'object',
  required: ['stream', 'number', 'kind', 'by', 'requestId', 'at', 'conversation'],
  properties: {
    _id: { bsonType: 'long', minimum: 1 },
    stream: { bsonType: 'string', pattern: '^[0-9a-f]{24}:[0-9a-f]{24}$' },
    number: count,
    kind: { enum: ['message_sent', 'message_delivered', 'message_read', 'user_blocked', 'user_unblocked'] },
    key: text,
    by: id,
    requestId: text,
    at: date,
    conversation: {
      bsonType: 'object',
      required: ['sent', 'readUpTo', 'blocked'],
      properties: { sent: pairOf(amount), readUpTo: pairOf(amount), blocked: pairOf({ bsonType: 'bool' }) },
    },
    message: {
      bsonType: 'object',
      required: ['messageId', 'fromUserId', 'toUserId', 'ordinal'],
      properties: {
        messageId: id,
        fromUserId: id,
        toUserId: id,
        ordinal: count,
        text: { bsonType: 'string', minLength: 1 },
        invitationId: id,
      },
    },
    unread: amount,
    request: { bsonType: 'object', required: ['by', 'hash'], properties: { by: text, hash: text } },
  },
}

const view = {
  bsonType: 'object',
  required: ['generation', 'kind', 'userId', 'withUserId'],
  properties: {
    _id: { bsonType: 'string', pattern: '^[1-9][0-9]*:[0-9a-f]{24}:[0-9a-f]{24}(:[0-9]+)?$' },
    generation: count,
    kind: { enum: ['conversation', 'page'] },
    userId: id,
    withUserId: id,
    messages: amount,
    unread: amount,
    readByOther: amount,
    readByUser: amount,
    blocked: { bsonType: 'bool' },
    lastMessage: { bsonType: 'object' },
    lastAt: date,
    page: amount,
    items: { bsonType: 'array' },
  },
}

/** The same collection and validator as in migrations/calendars: the two domains may share a database. */
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
    await setValidator(db, 'messageLog', log)
    await db.collection('messageLog').createIndexes([
      // With `_id` these two are the log's compare-and-set: of two entries that would follow the same one, one is refused.
      { key: { stream: 1, number: 1 }, name: 'one_entry_per_number', unique: true },
      {
        key: { key: 1 },
        name: 'one_entry_per_key',
        unique: true,
        partialFilterExpression: { key: { $exists: true } },
      },
    ])
    await setValidator(db, 'messageBoxes', view)
    await db.collection('messageBoxes').createIndexes([
      {
        key: { generation: 1, userId: 1, lastAt: -1, withUserId: -1 },
        name: 'conversations',
        partialFilterExpression: { kind: 'conversation' },
      },
    ])
    await setValidator(db, 'projections', progress)
  },
  async down(db) {
    for (const name of ['one_entry_per_number', 'one_entry_per_key']) await dropIndex(db, 'messageLog', name)
    await dropIndex(db, 'messageBoxes', 'conversations')
    for (const name of ['messageLog', 'messageBoxes', 'projections']) await clearValidator(db, name)
  },
} satisfies Migration
