import type { Backlog } from '../platform/contract/backlog.js'
import { inWords } from '../platform/lib/duration.js'

/** How many are looked at: whoever has more knows enough. */
export const BACKLOG_PAGE = 1000
/** Beyond it a look at them gives up. */
export const BACKLOG_READ_MS = 500

/** One that is not settled: stuck, waiting for recovery, or parked, waiting for an admin. */
export interface Unsettled {
  parked: boolean
  since: Date
}

/** What getStatus tells of them, by their name: `2 stuck, the oldest for 12 min; 1 parked, the oldest for 3 h`. */
export function backlogCheck(name: string, unsettled: readonly Unsettled[], now: Date): Backlog['checks'][number] {
  const tell = (what: string, those: readonly Unsettled[]): string[] => {
    if (those.length === 0) return []
    const oldest = those.reduce((least, { since }) => Math.min(least, since.getTime()), Infinity)
    const count = those.length < BACKLOG_PAGE ? those.length : `${BACKLOG_PAGE} or more`
    return [`${count} ${what}, the oldest for ${inWords(now.getTime() - oldest)}`]
  }
  const told = [
    ...tell(
      'stuck',
      unsettled.filter(({ parked }) => !parked),
    ),
    ...tell(
      'parked',
      unsettled.filter(({ parked }) => parked),
    ),
  ]
  return { name, ok: told.length === 0, detail: told.join('; ') || 'none waits' }
}
