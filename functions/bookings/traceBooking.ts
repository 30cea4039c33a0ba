import { define } from '../../platform/runtime/function.js'
import { visibleBooking } from './booking.access.js'
import { Booking } from './booking.model.js'
import { presentBooking } from './booking.presenter.js'
import { bookings } from './contract.js'

export default define(bookings.traceBooking, async (ctx, { bookingId }) => {
  const booking = await visibleBooking(ctx, bookingId)
  const reversal = await ctx.model(Booking).findOne({ reverses: booking._id }).lean()
  return {
    booking: presentBooking(booking, ctx.now()),
    requestId: booking.requestId,
    epoch: booking.epoch,
    repairs: booking.repairs.map(({ at, by, from, why }) => ({ at: at.toISOString(), by, from, why })),
    waitingEvents: (booking.outbox ?? []).map(({ type }) => type),
    ...(reversal && { reversal: presentBooking(reversal, ctx.now()) }),
  }
})
