import { setValidator, type Migration } from '../../platform/migrations/migration.js'

const OF_BOOKINGS = ['deposit', 'withdrawal', 'booking', 'booking_undone', 'reversal']
const OF_PAYMENTS = ['payment', 'payment_undone', 'refund', 'receipt']

const ledgerOf = (causes: readonly string[]) => ({
  bsonType: 'object',
  required: ['userId', 'number', 'at', 'cause', 'causeId', 'change', 'balanceAfter'],
  properties: {
    _id: { bsonType: 'string', pattern: '^[0-9a-f]{24}:[1-9][0-9]*$' },
    userId: { bsonType: 'objectId' },
    number: { bsonType: ['int', 'long'], minimum: 1 },
    at: { bsonType: 'date' },
    cause: { enum: causes },
    causeId: { bsonType: 'objectId' },
    change: { bsonType: 'long' },
    balanceAfter: { bsonType: 'long', minimum: 0, maximum: 9007199254740991 },
  },
})

/** The ledger's archive takes entries of payments. Users need none of their new fields: what is missing is empty. */
export default {
  async up(db) {
    await setValidator(db, 'ledger', ledgerOf([...OF_BOOKINGS, ...OF_PAYMENTS]))
  },
  async down(db) {
    await setValidator(db, 'ledger', ledgerOf(OF_BOOKINGS))
  },
} satisfies Migration
