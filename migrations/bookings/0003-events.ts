import { createEvents, dropEvents, dropIndex, type Migration } from '../../platform/migrations/migration.js'

export default {
  async up(db) {
    await createEvents(db)
    // Bookings that carry events which are not delivered yet.
    await db
      .collection('bookings')
      .createIndex({ createdAt: 1, _id: 1 }, { name: 'outbox', partialFilterExpression: { outbox: { $exists: true } } })
  },
  async down(db) {
    await dropIndex(db, 'bookings', 'outbox')
    await dropEvents(db)
  },
} satisfies Migration
