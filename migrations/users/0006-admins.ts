import { dropIndex, type Migration } from '../../platform/migrations/migration.js'

export default {
  async up(db) {
    // Who is told when an operator has to act. Admins are few: other users never enter it.
    await db
      .collection('users')
      .createIndex({ role: 1 }, { name: 'admins', partialFilterExpression: { role: 'admin' } })
  },
  async down(db) {
    await dropIndex(db, 'users', 'admins')
  },
} satisfies Migration
