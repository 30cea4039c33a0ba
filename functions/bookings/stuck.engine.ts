import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { stuckSince } from '../../protocol/recovery.js'
import { isFinal, type State } from '../../protocol/states.js'
import { visibleBooking } from './booking.access.js'
import { settling } from './booking.engine.js'
import type { BookingDocument } from './booking.model.js'

/** For admins: takes a stuck booking over and moves it one step on. */
export async function moveOn(
  ctx: Context,
  bookingId: string,
  { by, from, until }: { by: string; from: readonly State[]; until: State },
): Promise<BookingDocument> {
  const found = await visibleBooking(ctx, bookingId)
  if (!from.includes(found.state) && !isFinal(found.state)) throw stateChanged(found)
  const resumed = await settling(ctx, bookingId, (engine) =>
    engine.resume(found._id, {
      by,
      why: 'an admin moved it on',
      // Parked ones are stuck whatever their age. The state is part of the guard: it may have moved since it was read.
      when: { state: { $in: from }, $or: [{ parked: true }, { lastModified: { $lt: stuckSince(ctx) } }] },
      set: { parked: false, recoveries: 0 },
      until,
      deadlineAt: ctx.deadlineAt,
    }),
  )
  if (!resumed) throw new Refusal('booking_not_stuck', 'The booking is final, or moved only just now.')
  const { booking } = resumed
  if (booking.state !== until && booking.state !== 'CANCELLED') throw stateChanged(booking)
  return booking
}

const stateChanged = ({ state }: BookingDocument): Refusal =>
  new Refusal('booking_state_changed', `The booking is ${state}.`, { state })
