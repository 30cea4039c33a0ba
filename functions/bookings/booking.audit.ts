import type { BookingDocument } from './booking.model.js'
import type { CarDocument } from './car.model.js'

/**
 * The rules that auditBooks checks, as plain functions of what was read. On a live system nothing stands still, so each
 * participant is read between two reads of the bookings, and judged only by bookings that were final, and the same, in
 * both: what is final never changes, so the participant in between must show it.
 */

export interface Violation {
  rule: string
  entityId: string
  detail: string
}

/** A user as auditUsers answers it. */
export interface AuditedUser {
  id: string
  bookings: string[]
  pendingBookings: string[]
  tombstones: string[]
  forgottenBefore: string
  changes: Record<string, number>
}

export type AuditedBooking = Pick<
  BookingDocument,
  '_id' | 'userId' | 'carId' | 'from' | 'to' | 'cost' | 'state' | 'reverses' | 'createdAt'
>
export type AuditedCar = Pick<CarDocument, '_id' | 'bookings' | 'pendingBookings' | 'tombstones' | 'forgottenBefore'>

/** A final booking that did not change between the two reads, with its reversal if it has one that is final too. */
export interface Settled {
  booking: AuditedBooking
  /** It is COMMITTED and not taken back: its effect must stand. Otherwise there must be none left. */
  stands: boolean
}

const FINAL = ['COMMITTED', 'CANCELLED']

/** Bookings whose standing was the same before and after: those on the move are left to the next audit. */
export function settledBetween(before: AuditedBooking[], after: AuditedBooking[]): Settled[] {
  const statesBefore = new Map(before.map(({ _id, state }) => [String(_id), state]))
  const reversals = new Map(after.flatMap((r) => (r.reverses ? [[String(r.reverses), r] as const] : [])))
  return after.flatMap((booking) => {
    if (!FINAL.includes(booking.state) || statesBefore.get(String(booking._id)) !== booking.state) return []
    const reversal = reversals.get(String(booking._id))
    if (reversal && (reversal.state !== 'COMMITTED' || statesBefore.get(String(reversal._id)) !== 'COMMITTED'))
      return []
    return [{ booking, stands: booking.state === 'COMMITTED' && !reversal }]
  })
}

/** Every COMMITTED booking has its effect exactly once on the user, every other none. */
export function checkUser(user: AuditedUser, settled: Settled[], known: Set<string>): Violation[] {
  const violations: Violation[] = []
  const active = new Set(user.bookings)
  const forgottenBefore = new Date(user.forgottenBefore)
  for (const { booking, stands } of settled) {
    const id = String(booking._id)
    const expected = booking.state === 'CANCELLED' ? 0 : booking.reverses ? booking.cost : -booking.cost
    const actual = user.changes[id] ?? 0
    if (actual !== expected) {
      violations.push(
        violation('effect_exactly_once', id, `changed user ${user.id} by ${actual}, expected ${expected}`),
      )
    }
    const mustBeActive = stands && !booking.reverses && booking.createdAt >= forgottenBefore
    if (mustBeActive && !active.has(id))
      violations.push(violation('effect_exactly_once', id, `not active at user ${user.id}`))
    if ((!stands || booking.reverses) && active.has(id)) {
      violations.push(violation('effect_exactly_once', id, `still active at user ${user.id}`))
    }
  }
  const marked = [...user.bookings, ...user.pendingBookings, ...user.tombstones, ...Object.keys(user.changes)]
  for (const id of new Set(marked)) {
    if (!known.has(id))
      violations.push(violation('marker_has_booking', id, `user ${user.id} knows it, no booking does`))
  }
  return violations
}

/** The same for the car of one booking. */
export function checkCarOf({ booking, stands }: Settled, car: AuditedCar | undefined): Violation[] {
  const id = String(booking._id)
  if (!car) return [violation('car_exists', id, `its car ${String(booking.carId)} does not`)]
  const records = car.bookings.filter(({ _id }) => String(_id) === id)
  if (!stands || booking.reverses) {
    return records.length === 0 ? [] : [violation('effect_exactly_once', id, `still active at car ${String(car._id)}`)]
  }
  if (records.length === 0 && booking.createdAt < car.forgottenBefore) return []
  const [record] = records
  if (records.length !== 1 || !record) {
    return [violation('effect_exactly_once', id, `active ${records.length} times at car ${String(car._id)}`)]
  }
  const samePeriod = Number(record.from) === Number(booking.from) && Number(record.to) === Number(booking.to)
  return samePeriod ? [] : [violation('effect_exactly_once', id, `holds another period of car ${String(car._id)}`)]
}

/** A car's active bookings never overlap. */
export function checkOverlaps(car: AuditedCar): Violation[] {
  const byStart = [...car.bookings].sort((a, b) => Number(a.from) - Number(b.from))
  return byStart.slice(1).flatMap((next, i) => {
    const previous = byStart[i]
    return previous && previous.to > next.from
      ? [violation('no_overlap', String(car._id), `${String(previous._id)} and ${String(next._id)}`)]
      : []
  })
}

export const violation = (rule: string, entityId: string, detail: string): Violation => ({ rule, entityId, detail })
