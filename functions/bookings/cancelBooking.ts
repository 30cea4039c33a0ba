import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { visibleBooking } from './booking.access.js'
import { settling } from './booking.engine.js'
import { presentBooking } from './booking.presenter.js'
import { bookings } from './contract.js'

export default define(bookings.cancelBooking, async (ctx, { bookingId }) => {
  const found = await visibleBooking(ctx, bookingId)
  if (found.reverses) throw new Refusal('booking_not_cancellable', 'A reversal cannot be cancelled.')
  const byOwner = ctx.caller?.role === 'user'
  if (byOwner && found.from <= ctx.now()) throw new Refusal('booking_started', 'Only an admin can still cancel it.')

  const { booking, reversal } = await settling(ctx, bookingId, (engine) =>
    engine.cancel(found._id, {
      by: 'cancelBooking',
      reason: byOwner ? 'cancelled_by_user' : 'cancelled_by_admin',
      deadlineAt: ctx.deadlineAt,
    }),
  )
  return { booking: presentBooking(booking), ...(reversal && { reversal: presentBooking(reversal) }) }
})
