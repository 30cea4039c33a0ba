import { dropIndex, type Migration } from '../../platform/migrations/migration.js'

export default {
  async up(db) {
    for (const collection of ['deposits', 'withdrawals']) {
      // The audit compares the transfers of a page of users with their ledgers.
      await db.collection(collection).createIndex({ userId: 1 }, { name: 'by_user' })
    }
  },
  async down(db) {
    for (const collection of ['deposits', 'withdrawals']) await dropIndex(db, collection, 'by_user')
  },
} satisfies Migration
