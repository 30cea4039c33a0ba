import type { z } from 'zod'
import { bookings } from '../../functions/bookings/contract.js'
import { users } from '../../functions/users/contract.js'
import { SCHEDULE } from '../../jobs/schedule.js'
import type { Operation } from '../../platform/contract/contract.js'
import { define, type FunctionDefinition } from '../../platform/runtime/function.js'

/** Each of them answers how much it did, by what. */
const nothingDone = ({ output }: Operation): Record<string, number> =>
  Object.fromEntries(Object.keys((output as z.ZodObject).shape).map((what) => [what, 0]))

/** The functions that the schedule calls; those of recovery do what they are told to, the others nothing. */
export function scheduledFunctions(work: {
  recoverBookings?: () => Promise<void> | void
  recoverTransfers?: () => Promise<void> | void
}): FunctionDefinition[] {
  const told = new Map<unknown, FunctionDefinition['handler']>([
    [
      bookings.recoverBookings,
      async () => {
        await work.recoverBookings?.()
        return { examined: 0, reapplied: 0, committed: 0, cancelled: 0, parked: 0 }
      },
    ],
    [
      users.recoverTransfers,
      async () => {
        await work.recoverTransfers?.()
        return { examined: 0, committed: 0, cancelled: 0, parked: 0 }
      },
    ],
  ])
  return SCHEDULE.flatMap(({ calls }) => calls).map((operation): FunctionDefinition =>
    define(operation, told.get(operation) ?? (() => Promise.resolve(nothingDone(operation)))),
  )
}
