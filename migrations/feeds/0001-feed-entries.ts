import { clearValidator, dropIndex, setValidator, type Migration } from '../../platform/migrations/migration.js'

const text = { bsonType: 'string' }
const seq = { bsonType: ['int', 'long'], minimum: 1 }

const schema = {
  bsonType: 'object',
  required: ['feed', 'seq', 'key', 'name', 'data', 'at'],
  properties: {
    _id: { bsonType: 'objectId' },
    feed: text,
    seq,
    key: text,
    name: text,
    data: { bsonType: 'object' },
    at: { bsonType: 'date' },
    also: {
      bsonType: 'array',
      items: {
        bsonType: 'object',
        required: ['feed', 'seq'],
        properties: { feed: text, seq },
      },
    },
    ends: { bsonType: 'object', properties: { userId: text } },
  },
}

export default {
  async up(db) {
    await setValidator(db, 'feedEntries', schema)
    await db.collection('feedEntries').createIndexes([
      // Two appenders that want the same number: one of them fails at its insert. Also what a feed is read by.
      { key: { feed: 1, seq: 1 }, name: 'one_entry_per_number', unique: true },
      // The same news appended twice stands once.
      { key: { feed: 1, key: 1 }, name: 'one_entry_per_key', unique: true },
      { key: { at: 1 }, name: 'by_age' },
    ])
  },
  async down(db) {
    for (const name of ['one_entry_per_number', 'one_entry_per_key', 'by_age']) await dropIndex(db, 'feedEntries', name)
    await clearValidator(db, 'feedEntries')
  },
} satisfies Migration
