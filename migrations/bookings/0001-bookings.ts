import { makes, sortOf } from '../../platform/migrations/migration.js'
import {
  DATE,
  documentOf,
  DRIVEN,
  EVENTS,
  ID,
  LIST,
  listOf,
  COUNT,
  MAYBE_DRIVEN,
  MONEY,
  NEWEST_FIRST,
  NUMBER,
  objectOf,
  OUTSTANDING,
  QUOTAS,
  RECOVERY,
  REQUEST,
  TEXT,
} from '../../platform/migrations/shapes.js'

const schema = {
  ...documentOf(
    { userId: ID, from: DATE, to: DATE, cost: MONEY, ...DRIVEN, request: REQUEST },
    {
      ...MAYBE_DRIVEN,
      lobbyId: ID,
      seats: listOf(NUMBER),
      version: COUNT,
      eventVersion: NUMBER,
      outbox: LIST,
      reversedBy: ID,
    },
  ),
  // What a booking is of. A kind of thing that comes later adds itself: `permits`.
  oneOf: [
    sortOf({ carId: ID }),
    sortOf({ trainId: ID, passengers: listOf(TEXT, { min: 1 }) }),
    sortOf({ roomId: ID, nights: objectOf({ from: TEXT, to: TEXT }) }),
  ],
}

export default makes({
  bookings: {
    schema,
    indexes: [
      // The protocol relies on these two: a second outstanding booking and a second reversal fail at their insert.
      { key: { userId: 1 }, name: 'one_outstanding_per_user', unique: true, partialFilterExpression: OUTSTANDING },
      {
        key: { reverses: 1 },
        name: 'one_reversal_per_booking',
        unique: true,
        partialFilterExpression: { reverses: { $exists: true } },
      },
      RECOVERY,
      { key: { userId: 1, createdAt: -1, _id: -1 }, name: 'by_user_and_age' },
      NEWEST_FIRST,
      // What came to nothing and what was taken back: the two halves of the list of cancelled ones.
      {
        key: { userId: 1, createdAt: -1, _id: -1 },
        name: 'reversed_by_user',
        partialFilterExpression: { reversedBy: { $exists: true } },
      },
      {
        key: { userId: 1, createdAt: -1, _id: -1 },
        name: 'refused_by_user',
        partialFilterExpression: { state: { $in: ['CANCELLED', 'CANCELLING'] } },
      },
      // What is not over yet.
      { key: { userId: 1, to: -1 }, name: 'by_user_and_end' },
      // Bookings of other kinds are not in it, and those of trains leave it when they end.
      {
        key: { trainId: 1, createdAt: 1 },
        name: 'outstanding_by_train',
        partialFilterExpression: { trainId: { $exists: true }, ...OUTSTANDING },
      },
      // Bookings that carry events which are not delivered yet.
      { key: { createdAt: 1, _id: 1 }, name: 'outbox', partialFilterExpression: { outbox: { $exists: true } } },
    ],
  },
  events: EVENTS,
  quotas: QUOTAS,
})
