import { Refusal } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { findStuck, recoverStuck, stuckSince } from '../../protocol/recovery.js'
import { isFinal } from '../../protocol/states.js'
import { visibleBooking } from './booking.access.js'
import { bookingEngine } from './booking.engine.js'
import type { BookingDocument } from './booking.model.js'
import { bookings } from './contract.js'

export default define(bookings.recoverBookings, async (ctx, { dryRun, bookingId }) => {
  const engine = ctx.use(bookingEngine)
  const stuck = bookingId === undefined ? await findStuck(ctx, engine) : [await oneStuck(ctx, bookingId)]
  if (dryRun) return { examined: stuck.length, reapplied: 0, committed: 0, cancelled: 0, parked: 0 }
  return recoverStuck(ctx, {
    engine,
    entity: 'booking',
    stuck,
    ...(bookingId !== undefined && { askedBy: 'recoverBookings' }),
  })
})

async function oneStuck(ctx: Context, bookingId: string): Promise<BookingDocument> {
  const booking = await visibleBooking(ctx, bookingId)
  if (isFinal(booking.state) || !(booking.parked || booking.lastModified < stuckSince(ctx))) {
    throw new Refusal('booking_not_stuck', 'The booking is final, or moved only just now.')
  }
  return booking
}
