import { dateIn } from '../../../../platform/lib/zone.rules.js'

const DAY_MS = 24 * 3_600_000

/**
 * Nights, by the days of a time zone that they begin on: from the first one up to the day of leaving. Dates as text,
 * `YYYY-MM-DD`, in the order of time; so neither 23 nor 25 hours of a day make another number of nights.
 */
export interface Nights {
  from: string
  to: string
}

const msOf = (date: string): number => Date.parse(`${date}T00:00:00.000Z`)
const isDate = (date: string): boolean => /^\d{4}-\d\d-\d\d$/.test(date)

/** The nights between the days of two instants, at least one; undefined where they leave the calendar of dates. */
export function nightsBetween(from: Date, to: Date, timeZone: string): Nights | undefined {
  const [first, last] = [dateIn(from, timeZone), dateIn(to, timeZone)]
  if (!isDate(first) || !isDate(last)) return undefined
  const leaves = last > first ? last : new Date(msOf(first) + DAY_MS).toISOString().slice(0, 10)
  return isDate(leaves) ? { from: first, to: leaves } : undefined
}

export const countNights = ({ from, to }: Nights): number => Math.round((msOf(to) - msOf(from)) / DAY_MS)

/** The most records that any one of these nights has; without nights, of all nights. */
export function mostTaken(records: readonly Nights[], nights?: Nights): number {
  const held = nights ? records.filter(({ from, to }) => from < nights.to && to > nights.from) : records
  // Night after night on which somebody comes or goes: as long as those are sorted, however many are held.
  const changes = new Map<string, number>()
  const add = (night: string, change: 1 | -1): void => void changes.set(night, (changes.get(night) ?? 0) + change)
  for (const { from, to } of held) {
    add(from, 1)
    add(to, -1)
  }
  let taken = 0
  let most = 0
  for (const [night, change] of [...changes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    taken += change
    // Before the first night asked for all that are held have come that stay over it, and none has gone.
    if (!nights || night < nights.to) most = Math.max(most, taken)
  }
  return most
}

/**
 * The same as an expression of the server: a guard inside the write, whatever else lands meanwhile. Goes through those who
 * come and go in the order of the nights, so that it takes as long as sorting them.
 */
export function mostTakenExpression(nights?: Nights): object {
  const all = { $ifNull: ['$bookings', []] }
  const overlap = nights && { $and: [{ $lt: ['$$each.from', nights.to] }, { $gt: ['$$each.to', nights.from] }] }
  const held = overlap ? { $filter: { input: all, as: 'each', cond: overlap } } : all
  const came = { $map: { input: '$$held', as: 'each', in: { night: '$$each.from', change: 1 } } }
  const left = { $map: { input: '$$held', as: 'each', in: { night: '$$each.to', change: -1 } } }
  // On a night somebody leaves before another one comes.
  const changes = { $sortArray: { input: { $concatArrays: [came, left] }, sortBy: { night: 1, change: 1 } } }
  const taken = { $add: ['$$value.taken', '$$this.change'] }
  const counted = {
    $reduce: {
      input: changes,
      initialValue: { taken: 0, most: 0 },
      in: { taken, most: { $max: ['$$value.most', taken] } },
    },
  }
  return { $let: { vars: { held }, in: { $let: { vars: { counted }, in: '$$counted.most' } } } }
}
