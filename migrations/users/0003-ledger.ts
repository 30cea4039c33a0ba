import { clearValidator, dropIndex, setValidator, type Migration } from '../../platform/migrations/migration.js'

const schema = {
  bsonType: 'object',
  required: ['userId', 'number', 'at', 'cause', 'causeId', 'change', 'balanceAfter'],
  properties: {
    _id: { bsonType: 'string', pattern: '^[0-9a-f]{24}:[1-9][0-9]*$' },
    userId: { bsonType: 'objectId' },
    number: { bsonType: ['int', 'long'], minimum: 1 },
    at: { bsonType: 'date' },
    cause: { enum: ['deposit', 'withdrawal', 'booking', 'booking_undone', 'reversal'] },
    causeId: { bsonType: 'objectId' },
    change: { bsonType: 'long' },
    balanceAfter: { bsonType: 'long', minimum: 0, maximum: 9007199254740991 },
  },
}

export default {
  async up(db) {
    await setValidator(db, 'ledger', schema)
    // listLedger reads it backwards.
    await db.collection('ledger').createIndex({ userId: 1, number: 1 }, { name: 'one_entry_per_number', unique: true })
  },
  async down(db) {
    await dropIndex(db, 'ledger', 'one_entry_per_number')
    await clearValidator(db, 'ledger')
  },
} satisfies Migration
