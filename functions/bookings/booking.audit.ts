import { violation, type Settled, type Violation } from '../../protocol/audit.js'
import type { BookingDocument } from './booking.model.js'
import type { BookableKind } from './booking.kinds.js'
import type { AuditedRecord, AuditedThing } from './kinds/kind.js'

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

/** With the fields of its kind. */
export type AuditedBooking = Pick<
  BookingDocument,
  '_id' | 'userId' | 'from' | 'to' | 'cost' | 'state' | 'reverses' | 'reversedBy' | 'createdAt'
>

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

/** A booking says that it was taken back where its reversal is COMMITTED, and nowhere without a reversal. */
export function checkReversal(
  { _id, state, reverses, reversedBy }: AuditedBooking,
  theirs: ReadonlyMap<string, AuditedBooking>,
): Violation[] {
  const original = reverses && theirs.get(String(reverses))
  if (original && state === 'COMMITTED' && String(original.reversedBy) !== String(_id))
    return [violation('reversal_is_told', String(reverses), `does not say that ${String(_id)} took it back`)]
  if (reversedBy && String(theirs.get(String(reversedBy))?.reverses) !== String(_id))
    return [violation('reversal_is_told', String(_id), `${String(reversedBy)} is no reversal of it`)]
  return []
}

/** What is booked, with its records by their bookings: a busy one has thousands, and each booking looks for its own. */
export interface Booked {
  thing: AuditedThing
  records: ReadonlyMap<string, AuditedRecord[]>
}

/** The same for the thing of one booking. */
export function checkThingOf(
  { booking, stands }: Settled<AuditedBooking>,
  { name, audit, idField }: Pick<BookableKind, 'name' | 'audit' | 'idField'>,
  booked: Booked | undefined,
): Violation[] {
  const id = String(booking._id)
  const thingId = String((booking as unknown as Record<string, unknown>)[idField])
  if (!booked) return [violation(`${name}_exists`, id, `its ${name} ${thingId} does not`)]
  const records = booked.records.get(id) ?? []
  const wrong = (detail: string) => [violation('effect_exactly_once', id, `${detail} at ${name} ${thingId}`)]
  if (!stands || booking.reverses) return records.length === 0 ? [] : wrong('still active')
  const { forgottenBefore } = booked.thing
  if (records.length === 0 && forgottenBefore && booking.createdAt < forgottenBefore) return []
  const [record] = records
  if (records.length !== 1 || !record) return wrong(`active ${records.length} times`)
  const differs = audit.differs(booking as BookingDocument, record)
  return differs === undefined ? [] : wrong(differs)
}
