import {
  clearValidator,
  createEvents,
  dropEvents,
  dropIndex,
  setValidator,
  type Migration,
} from '../../platform/migrations/migration.js'

const text = { bsonType: 'string' }
const date = { bsonType: 'date' }
/** Not its items: every write would check all of them, and these arrays grow. */
const list = { bsonType: 'array' }
const count = { bsonType: ['int', 'long'], minimum: 0 }

const schema = {
  bsonType: 'object',
  required: [
    'route',
    'routeKey',
    'departureTime',
    'arrivalTime',
    'seats',
    'seatsLeft',
    'pricePerSeat',
    'deleted',
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
    route: text,
    routeKey: text,
    departureTime: date,
    arrivalTime: date,
    seats: count,
    // The last line of defence: the first one is in the filter of every booking's write.
    seatsLeft: count,
    pricePerSeat: { bsonType: 'long', minimum: 0, maximum: 1000000000000 },
    deleted: { bsonType: 'bool' },
    calledOff: {
      bsonType: 'object',
      required: ['at', 'reason', 'bookingIds'],
      properties: { at: date, reason: text, bookingIds: list },
    },
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
    await setValidator(db, 'trains', schema)
    await db.collection('trains').createIndexes([
      { key: { createdAt: 1, _id: 1 }, name: 'by_age' },
      { key: { routeKey: 1, createdAt: 1, _id: 1 }, name: 'by_route_and_age' },
    ])
    await createEvents(db)
  },
  async down(db) {
    for (const name of ['by_age', 'by_route_and_age']) await dropIndex(db, 'trains', name)
    await clearValidator(db, 'trains')
    await dropEvents(db)
  },
} satisfies Migration
