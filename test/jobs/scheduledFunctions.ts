import { bookings } from '../../functions/bookings/contract.js'
import { users } from '../../functions/users/contract.js'
import { define, type FunctionDefinition } from '../../platform/function.js'

/** The functions that the schedule calls; each does what it is told to. */
export function scheduledFunctions(work: {
  recoverBookings?: () => Promise<void> | void
  recoverTransfers?: () => Promise<void> | void
}): FunctionDefinition[] {
  return [
    define(bookings.recoverBookings, async () => {
      await work.recoverBookings?.()
      return { examined: 0, reapplied: 0, committed: 0, cancelled: 0, parked: 0 }
    }),
    define(users.recoverTransfers, async () => {
      await work.recoverTransfers?.()
      return { examined: 0, committed: 0, cancelled: 0 }
    }),
    define(users.tidyUsers, () => Promise.resolve({ archived: 0, cleared: 0, forgotten: 0 })),
    define(bookings.tidyCars, () => Promise.resolve({ cleared: 0, forgotten: 0 })),
  ] as FunctionDefinition[]
}
