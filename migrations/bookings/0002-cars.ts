import { clearValidator, dropIndex, setValidator, type Migration } from '../../platform/migrations/migration.js'

const id = { bsonType: 'objectId' }
const date = { bsonType: 'date' }
const text = { bsonType: 'string' }
/** Not its items: every write would check all of them, and these arrays grow. */
const list = { bsonType: 'array' }

const schema = {
  bsonType: 'object',
  required: [
    'name',
    'pricePerHour',
    'retired',
    'bookings',
    'pendingBookings',
    'tombstones',
    'forgottenBefore',
    'version',
    'request',
    'createdAt',
    'updatedAt',
  ],
  properties: {
    _id: id,
    name: text,
    pricePerHour: { bsonType: 'long', minimum: 0, maximum: 1000000000000 },
    retired: { bsonType: 'bool' },
    bookings: list,
    pendingBookings: list,
    tombstones: list,
    forgottenBefore: date,
    version: { bsonType: ['int', 'long'], minimum: 0 },
    request: { bsonType: 'object', required: ['by', 'hash'], properties: { by: text, hash: text } },
    createdAt: date,
    updatedAt: date,
  },
}

export default {
  async up(db) {
    await setValidator(db, 'cars', schema)
    await db.collection('cars').createIndex({ createdAt: 1, _id: 1 }, { name: 'by_age' })
  },
  async down(db) {
    await dropIndex(db, 'cars', 'by_age')
    await clearValidator(db, 'cars')
  },
} satisfies Migration
