import { violation, type Settled, type Violation } from '../../protocol/audit.js'
import type { BookingDocument } from './booking.model.js'
import type { CarDocument } from './kinds/car/car.model.js'

/** The rules that auditBooks checks, as plain functions of what was read. protocol/audit.ts says how to read. */

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
  | '_id'
  | 'userId'
  | 'carId'
  | 'trainId'
  | 'passengers'
  | 'seats'
  | 'from'
  | 'to'
  | 'cost'
  | 'state'
  | 'reverses'
  | 'createdAt'
>
export type AuditedCar = Pick<CarDocument, '_id' | 'bookings' | 'pendingBookings' | 'tombstones' | 'forgottenBefore'>

/** Every COMMITTED booking has its effect exactly once on the user, every other none. */
export function checkUser(user: AuditedUser, settled: Settled<AuditedBooking>[], known: Set<string>): Violation[] {
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

/** What is booked, with its records by their bookings: a busy car has thousands, and each booking looks for its own. */
export interface Booked<R> {
  id: string
  records: ReadonlyMap<string, R[]>
  forgottenBefore?: Date
}

/** The same for the car of one booking. */
export function checkCarOf(
  { booking, stands }: Settled<AuditedBooking>,
  car: Booked<AuditedCar['bookings'][number]> | undefined,
): Violation[] {
  const id = String(booking._id)
  if (!car) return [violation('car_exists', id, `its car ${String(booking.carId)} does not`)]
  const records = car.records.get(id) ?? []
  const wrong = (detail: string) => [violation('effect_exactly_once', id, detail)]
  if (!stands || booking.reverses) return records.length === 0 ? [] : wrong(`still active at car ${car.id}`)
  if (records.length === 0 && car.forgottenBefore && booking.createdAt < car.forgottenBefore) return []
  const [record] = records
  if (records.length !== 1 || !record) return wrong(`active ${records.length} times at car ${car.id}`)
  const samePeriod = Number(record.from) === Number(booking.from) && Number(record.to) === Number(booking.to)
  return samePeriod ? [] : wrong(`holds another period of car ${car.id}`)
}

/** A train as auditTrains answers it. */
export interface AuditedTrain {
  id: string
  bookings: { id: string; passengers: number; seats: number[] }[]
}

/** The same for the train of one booking: as many seats as passengers, with the numbers that the booking says. */
export function checkTrainOf(
  { booking, stands }: Settled<AuditedBooking>,
  train: Booked<AuditedTrain['bookings'][number]> | undefined,
): Violation[] {
  const id = String(booking._id)
  if (!train) return [violation('train_exists', id, `its train ${String(booking.trainId)} does not`)]
  const records = train.records.get(id) ?? []
  const wrong = (detail: string) => [violation('effect_exactly_once', id, `${detail} at train ${train.id}`)]
  if (!stands || booking.reverses) return records.length === 0 ? [] : wrong('still active')
  const [record] = records
  if (records.length !== 1 || !record) return wrong(`active ${records.length} times`)
  if (record.passengers !== booking.passengers?.length) return wrong(`holds ${record.passengers} seats`)
  return record.seats.join() === booking.seats?.join() ? [] : wrong(`has seats ${record.seats.join()}`)
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
