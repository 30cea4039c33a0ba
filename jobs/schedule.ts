import type { Config } from '../config/index.js'
import { bookings } from '../functions/bookings/contract.js'
import { calendars } from '../functions/calendars/contract.js'
import { events } from '../functions/events/contract.js'
import { feeds } from '../functions/feeds/contract.js'
import { payments } from '../functions/payments/contract.js'
import { trains } from '../functions/trains/contract.js'
import { users } from '../functions/users/contract.js'
import type { Operation } from '../platform/contract/contract.js'

/**
 * A job that calls functions, each with the input {}, at an interval. It carries no state of its own: whatever there
 * is to do, the functions find themselves. So a run may come late, twice, or at the same time as another one.
 */
export interface ScheduledJob {
  name: string
  calls: readonly Operation[]
  /** From the start of a run to the start of the next one. */
  intervalMs(config: Config): number
  /** How long after its holder's death a lock still holds the job back. A living holder renews it while it runs. */
  lockMs(config: Config): number
}

/** Every job of the system. Adding one is adding an entry. */
export const SCHEDULE: readonly ScheduledJob[] = [
  {
    name: 'recover-bookings',
    calls: [
      bookings.recoverBookings,
      users.recoverTransfers,
      users.recoverMails,
      payments.recoverPayments,
      payments.recoverCharges,
      calendars.recoverInvitations,
    ],
    intervalMs: ({ recovery }) => recovery.intervalMs,
    lockMs: ({ recovery }) => recovery.lockMs,
  },
  {
    // Dispatchers retry each event when it is due. This tells people of dead letters, and is the truth beside a dispatcher.
    name: 'retry-events',
    calls: [events.retryEvents],
    intervalMs: () => 30_000,
    lockMs: () => 5000,
  },
  {
    name: 'tidy',
    calls: [users.tidyUsers, bookings.tidyThings, trains.tidyTrains, feeds.tidyFeeds, calendars.tidyCalendars],
    intervalMs: () => 3_600_000,
    lockMs: () => 10_000,
  },
]
