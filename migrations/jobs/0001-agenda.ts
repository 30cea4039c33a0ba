import { makes } from '../../platform/migrations/migration.js'

export default makes({
  agendaJobs: {
    indexes: [
      // Agenda looks a recurring job up and then inserts it: two starters at once would leave it, and run it, twice.
      {
        key: { name: 1 },
        name: 'one_recurring_job_per_name',
        unique: true,
        partialFilterExpression: { type: 'single' },
      },
      // Agenda's own, by which it finds and locks the next job: it makes none by itself where we run it.
      { key: { name: 1, nextRunAt: 1, priority: -1, lockedAt: 1, disabled: 1 }, name: 'findAndLockNextJobIndex' },
      // What runs, or was left locked by the dead.
      { key: { lockedAt: 1 }, name: 'held', partialFilterExpression: { lockedAt: { $type: 'date' } } },
    ],
  },
})
