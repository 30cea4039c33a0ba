import type { Context } from '../platform/runtime/function.js'
import { recoveryDelayMs } from './retries.js'
import { isFinal, type State } from './states.js'
import type { Id } from './store.js'

/** What an audit must know of whatever the engine drives. */
export interface Audited {
  _id: Id
  state: State
  reverses?: Id
}

/** A final booking that did not change between the two reads, with its reversal if it has one that is final too. */
export interface Settled<B extends Audited> {
  booking: B
  /** It is COMMITTED and not taken back: its effect must stand. Otherwise there must be none left. */
  stands: boolean
}

/**
 * On a live system nothing stands still, so each participant is read between two reads of the bookings, and judged only
 * by those that were final, and the same, in both: what is final never changes, so the participant in between must show
 * it. Those on the move are left to the next audit.
 */
export function settledBetween<B extends Audited>(before: readonly B[], after: readonly B[]): Settled<B>[] {
  const statesBefore = new Map(before.map(({ _id, state }) => [String(_id), state]))
  const reversals = new Map(after.flatMap((r) => (r.reverses ? [[String(r.reverses), r] as const] : [])))
  return after.flatMap((booking) => {
    if (!isFinal(booking.state) || statesBefore.get(String(booking._id)) !== booking.state) return []
    const reversal = reversals.get(String(booking._id))
    if (reversal && (reversal.state !== 'COMMITTED' || statesBefore.get(String(reversal._id)) !== 'COMMITTED'))
      return []
    return [{ booking, stands: booking.state === 'COMMITTED' && !reversal }]
  })
}

export interface Violation {
  rule: string
  entityId: string
  detail: string
}

export const violation = (rule: string, entityId: string, detail: string): Violation => ({ rule, entityId, detail })

/**
 * Whether recovery has not dealt with something that stands still: one interval and one run after it is due it must have, and
 * a dead jobs process adds its lock. What is parked waits for an admin.
 */
export function isLate(
  ctx: Pick<Context, 'now' | 'config'>,
  { parked, recoveries, lastModified }: { parked: boolean; recoveries: number; lastModified: Date },
): boolean {
  const { recovery, deadlinesMs } = ctx.config
  const { intervalMs, lockMs } = recovery
  const allowedMs = recoveryDelayMs(recovery, recoveries) + intervalMs + lockMs + deadlinesMs.money
  return !parked && ctx.now().getTime() - lastModified.getTime() > allowedMs
}

/** What a person reads of one list, and a message holds. */
const MAX_TOLD = 1000

/** One list that an audit answers: the first of what was found, and how many more there were. */
export interface Tally<T> {
  readonly told: readonly T[]
  readonly untold: number
  add(found: Iterable<T>): void
}

export function createTally<T>(): Tally<T> {
  const told: T[] = []
  let count = 0
  return {
    told,
    get untold() {
      return count - told.length
    },
    add(found) {
      for (const each of found) {
        count++
        if (told.length < MAX_TOLD) told.push(each)
      }
    },
  }
}
