import { LRUCache } from 'lru-cache'

/**
 * Days of time zones. Times are instants; a zone only says on which day one falls, and when days begin. Days have 23 or
 * 25 hours where clocks change, and in some zones begin at 01:00 then: so a day is the span in which the zone's date is
 * that day's, found by asking the zone, and never 24 hours added to anything.
 */

const MINUTE_MS = 60_000
const DAY_MS = 24 * 3_600_000
const SHORTEST_DAY_MS = 20 * 3_600_000

export interface Day {
  /** `YYYY-MM-DD`, in the zone. */
  date: string
  from: Date
  to: Date
}

const formats = new LRUCache<string, Intl.DateTimeFormat>({ max: 100 })

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  formats.set(timeZone, made)
  return made
}

/** Whether it is a zone of the IANA database, by name: `Europe/Berlin`, `UTC`. */
export function isTimeZone(timeZone: string): boolean {
  if (!/^[A-Za-z]/.test(timeZone)) return false
  try {
    formatOf(timeZone)
    return true
  } catch {
    return false
  }
}

/** The wall clock of the zone, as if it were UTC. */
function wallClockMs(atMs: number, timeZone: string): number {
  const part: Record<string, number> = {}
  for (const { type, value } of formatOf(timeZone).formatToParts(atMs)) part[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/** The date in the zone, `YYYY-MM-DD`. */
export const dateIn = (at: Date, timeZone: string): string =>
  new Date(wallClockMs(at.getTime(), timeZone)).toISOString().slice(0, 10)

/** The first instant of a day. */
function startOf(date: string, timeZone: string): Date {
  const midnightMs = Date.parse(`${date}T00:00:00.000Z`)
  const begun = (atMs: number): boolean => dateIn(new Date(atMs), timeZone) >= date
  const offsetMs = wallClockMs(midnightMs, timeZone) - midnightMs
  const guessMs = midnightMs - (wallClockMs(midnightMs - offsetMs, timeZone) - (midnightMs - offsetMs))
  if (begun(guessMs) && !begun(guessMs - 1)) return new Date(guessMs)
  // Midnight is skipped or comes twice there.
  let [beforeMs, afterMs] = [midnightMs - DAY_MS, midnightMs + DAY_MS]
  while (afterMs - beforeMs > MINUTE_MS) {
    const middleMs = Math.floor((beforeMs + afterMs) / 2 / MINUTE_MS) * MINUTE_MS
    if (begun(middleMs)) afterMs = middleMs
    else beforeMs = middleMs
  }
  return new Date(afterMs)
}

/** The zone's days that a period touches, whole ones, in order. */
export function daysOf({ from, to }: { from: Date; to: Date }, timeZone: string): Day[] {
  const days: Day[] = []
  let start = startOf(dateIn(from, timeZone), timeZone)
  const mostDays = Math.ceil((to.getTime() - from.getTime()) / SHORTEST_DAY_MS) + 2
  while (start < to && days.length < mostDays) {
    const date = dateIn(start, timeZone)
    const end = startOf(nextDate(date), timeZone)
    days.push({ date, from: start, to: end })
    start = end
  }
  return days
}

const nextDate = (date: string): string =>
  new Date(Date.parse(`${date}T00:00:00.000Z`) + DAY_MS).toISOString().slice(0, 10)
