import {
  clearValidator,
  dropIndex,
  forbidSort,
  permitSort,
  setValidator,
  type Migration,
} from '../../platform/migrations/migration.js'

const date = { bsonType: 'date' }
const text = { bsonType: 'string' }
/** Not its items: every write would check all of them, and these arrays grow. */
const list = { bsonType: 'array' }
const count = { bsonType: ['int', 'long'], minimum: 0 }

const schema = {
  bsonType: 'object',
  required: [
    'name',
    'pricePerNight',
    'units',
    'timeZone',
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
    _id: { bsonType: 'objectId' },
    name: text,
    pricePerNight: { bsonType: 'long', minimum: 0, maximum: 1000000000000 },
    units: { bsonType: ['int', 'long'], minimum: 1 },
    timeZone: text,
    retired: { bsonType: 'bool' },
    bookings: list,
    pendingBookings: list,
    tombstones: list,
    forgottenBefore: date,
    version: count,
    request: { bsonType: 'object', required: ['by', 'hash'], properties: { by: text, hash: text } },
    createdAt: date,
    updatedAt: date,
  },
}

export default {
  async up(db) {
    await setValidator(db, 'rooms', schema)
    await db.collection('rooms').createIndex({ createdAt: 1, _id: 1 }, { name: 'by_age' })
    await permitSort(db, 'bookings', ['roomId', 'nights'])
  },
  async down(db) {
    await forbidSort(db, 'bookings', ['roomId', 'nights'])
    await dropIndex(db, 'rooms', 'by_age')
    await clearValidator(db, 'rooms')
  },
} satisfies Migration
