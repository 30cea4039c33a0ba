import { carriedEvent } from '../../platform/events/events.js'
import type { System } from '../../platform/runtime/system.js'
import { isFinal } from '../../protocol/states.js'
import type { Change } from '../../protocol/store.js'
import { kindOf, ownFieldsOf } from './booking.kinds.js'
import type { BookingDocument } from './booking.model.js'
import { presentBooking } from './booking.presenter.js'
import { emits, type BOOKING_ENDS } from './contract.js'

/**
 * A booking's events are carried by its own writes: `booking:created` by its insert, as version 1, and by its final move, as
 * version 2, how it ended: `booking:committed`, `booking:refused` where it came to nothing, or, for a reversal,
 * `booking:reversed`. What comes to nothing at once is inserted with both. Final moves are compare-and-sets, so whoever
 * makes one makes its event, and nobody makes a second.
 */
type Ids = Pick<System, 'config' | 'now' | 'newId'>

/** What a new booking is inserted with. */
export function carriedByInsert(booking: BookingDocument, ids: Ids) {
  const payload = presentBooking(booking, ids.now())
  const created = carriedEvent(emits, { type: 'booking:created', version: 1, payload }, ids)
  if (!isFinal(booking.state)) return { eventVersion: 1, outbox: [created] }
  const ended = { type: eventTypeOf(booking), version: 2, payload }
  return { eventVersion: 2, outbox: [created, carriedEvent(emits, ended, ids, { final: true })] }
}

/** What a move carries. */
export function carriedByMove(moved: BookingDocument, ids: Ids): Change {
  if (!isFinal(moved.state)) return {}
  const event = { type: eventTypeOf(moved), version: 2, payload: presentBooking(moved, ids.now()) }
  // What came after the decision (numbers of seats) is saved with the end that tells of it.
  const given = moved.state === 'COMMITTED' && !moved.reverses ? ownFieldsOf(moved, kindOf(moved).given ?? []) : {}
  return { $set: { eventVersion: 2, ...given }, $push: { outbox: carriedEvent(emits, event, ids, { final: true }) } }
}

const eventTypeOf = ({ state, reverses }: BookingDocument): (typeof BOOKING_ENDS)[number] =>
  state === 'CANCELLED' ? 'booking:refused' : reverses ? 'booking:reversed' : 'booking:committed'
