import { makes } from '../../platform/migrations/migration.js'
import { EVENTS } from '../../platform/migrations/shapes.js'

export default makes({
  // Agenda writes these documents too: no schema.
  expirations: {
    indexes: [
      // By which Agenda finds and locks the next one that is due.
      { key: { name: 1, nextRunAt: 1, priority: -1, lockedAt: 1, disabled: 1 }, name: 'findAndLockNextJobIndex' },
      // What runs, or was left locked by the dead.
      { key: { lockedAt: 1 }, name: 'held', partialFilterExpression: { lockedAt: { $type: 'date' } } },
      // What rang in vain.
      { key: { failCount: 1 }, name: 'failed', partialFilterExpression: { failCount: { $gt: 0 } } },
    ],
  },
  events: EVENTS,
})
