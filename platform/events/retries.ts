import type { DeliveryFailure, StoredEvent } from './events.js'
import type { Verdict } from './outbox.js'

/** A subscriber that failed an event so often is not asked again before an admin says so. */
export const DEAD_AFTER = 15
/** Whatever stood in the way for a moment is gone by then, and nobody has waited a second. */
const FIRST_DELAY_MS = 400
const LONGEST_DELAY_MS = 300_000

/** After how many failures an event comes again how much later: twice as late each time, and at random, so that what failed together does not come back together. */
export function retryDelayMs(attempts: number, random: () => number): number {
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempts - 1))
  return Math.round(longest * (0.5 + random() / 2))
}

/** What becomes of an event after an attempt with these failures, told to these subscribers. */
export function verdictOn(
  event: StoredEvent,
  attempt: { told: readonly string[]; failures: readonly DeliveryFailure[]; at: Date; random: () => number },
): Verdict {
  const { told, failures, at, random } = attempt
  const refusing = new Set(failures.map(({ subscriber }) => subscriber))
  const all = [...event.failures, ...failures]
  const attemptsOf = (each: string): number => all.filter(({ subscriber }) => subscriber === each).length
  const attempts = [...refusing].reduce((most, each) => Math.max(most, attemptsOf(each)), 0)
  return {
    failures: [...failures],
    deliveredTo: [...(event.deliveredTo ?? []), ...told.filter((each) => !refusing.has(each))],
    retryAt: attempts >= DEAD_AFTER ? null : new Date(at.getTime() + retryDelayMs(attempts, random)),
    at,
  }
}
