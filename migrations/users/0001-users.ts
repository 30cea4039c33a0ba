import { clearValidator, dropIndex, setValidator, type Migration } from '../../platform/migrations/migration.js'

const id = { bsonType: 'objectId' }
const date = { bsonType: 'date' }
const text = { bsonType: 'string' }
const count = { bsonType: ['int', 'long'], minimum: 0 }
/** Money is a 64-bit integer, and a safe one in JavaScript; `bsonType: long` turns doubles and 32-bit integers away. */
const money = { bsonType: 'long', minimum: 0, maximum: 9007199254740991 }
/** Not its items: every write would check all of them, and these arrays grow. */
const list = { bsonType: 'array' }

/** The last line behind the guards of the protocol: no write, whoever sends it, leaves a balance below zero. */
const schema = {
  bsonType: 'object',
  required: [
    'name',
    'nameKey',
    'email',
    'role',
    'tokenVersion',
    'balance',
    'netDeposits',
    'bookings',
    'pendingBookings',
    'tombstones',
    'forgottenBefore',
    'transfers',
    'voidedTransfers',
    'recentLedger',
    'archivedLedger',
    'version',
    'request',
    'createdAt',
    'updatedAt',
  ],
  properties: {
    _id: id,
    name: text,
    nameKey: text,
    email: text,
    role: { enum: ['user', 'admin'] },
    passwordHash: text,
    tokenVersion: count,
    balance: money,
    netDeposits: { bsonType: 'long' },
    bookings: list,
    pendingBookings: list,
    tombstones: list,
    forgottenBefore: date,
    transfers: list,
    voidedTransfers: list,
    recentLedger: list,
    archivedLedger: {
      bsonType: 'object',
      required: ['count', 'balance'],
      properties: { count, balance: money },
    },
    version: count,
    request: { bsonType: 'object', required: ['by', 'hash'], properties: { by: text, hash: text } },
    createdAt: date,
    updatedAt: date,
  },
}

export default {
  async up(db) {
    await setValidator(db, 'users', schema)
    await db.collection('users').createIndexes([
      { key: { email: 1 }, name: 'one_user_per_email', unique: true },
      // listUsers: by age, and by the beginning of a name.
      { key: { createdAt: 1, _id: 1 }, name: 'by_age' },
      { key: { nameKey: 1 }, name: 'by_name' },
    ])
  },
  async down(db) {
    for (const name of ['one_user_per_email', 'by_age', 'by_name']) await dropIndex(db, 'users', name)
    await clearValidator(db, 'users')
  },
} satisfies Migration
