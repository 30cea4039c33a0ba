import type { Report } from './journal.js'
import type { HeldRecord, RoomRecord } from './snapshot.js'

/** Nights of rooms, by our own arithmetic: the product's is what we judge. */

const DAY_MS = 24 * 3_600_000

/** Days as text, in the order of time. Swedes write them as ISO 8601 does. */
const dayIn = (at: number, timeZone: string): string => new Date(at).toLocaleDateString('sv-SE', { timeZone })
const dayAfter = (day: string): string => new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10)

/** The nights that a period is, in the room's zone: one at least. */
export function nightsOf(
  { id, from, to }: HeldRecord<number>,
  { timeZone }: Pick<RoomRecord, 'timeZone'>,
): HeldRecord<string> {
  const [first, last] = [dayIn(from, timeZone), dayIn(to, timeZone)]
  return { id, from: first, to: last > first ? last : dayAfter(first) }
}

/** The days that its nights begin on. */
export function nightsIn({ from, to }: Pick<HeldRecord<string>, 'from' | 'to'>): string[] {
  const nights: string[] = []
  for (let night = from; night < to; night = dayAfter(night)) nights.push(night)
  return nights
}

/** On no night more are held than there are. */
export function checkCapacity(
  { id, units }: Pick<RoomRecord, 'id' | 'units'>,
  held: readonly HeldRecord<string>[],
  report: Report,
): void {
  const byNight = new Map<string, string[]>()
  for (const each of held) {
    for (const night of nightsIn(each)) byNight.set(night, [...(byNight.get(night) ?? []), each.id])
  }
  for (const [night, theirs] of byNight) {
    if (theirs.length > units) report('no_overbooking', id, `${units} units, on ${night} held by ${theirs.join(', ')}`)
  }
}
