import { createEvents, dropEvents, dropIndex, type Migration } from '../../platform/migrations/migration.js'

export default {
  async up(db) {
    // By which Agenda finds and locks the next one that is due. Agenda writes these documents too: no validator.
    await db
      .collection('expirations')
      .createIndex(
        { name: 1, nextRunAt: 1, priority: -1, lockedAt: 1, disabled: 1 },
        { name: 'findAndLockNextJobIndex' },
      )
    await createEvents(db)
  },
  async down(db) {
    await dropIndex(db, 'expirations', 'findAndLockNextJobIndex')
    await dropEvents(db)
  },
} satisfies Migration
