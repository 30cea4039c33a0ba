import { Refusal } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { visibleBooking } from './booking.access.js'
import { settling } from './booking.engine.js'
import { kindOf } from './booking.kinds.js'
import type { BookingDocument } from './booking.model.js'
import { presentBooking } from './booking.presenter.js'
import { bookings } from './contract.js'

export default define(bookings.cancelBooking, async (ctx, { bookingId }) => {
  const found = await visibleBooking(ctx, bookingId)
  if (found.reverses) throw new Refusal('booking_not_cancellable', 'A reversal cannot be cancelled.')
  const byOwner = ctx.caller?.role === 'user'
  if (byOwner) await assertCancellable(ctx, found)

  const { booking, reversal } = await settling(ctx, bookingId, (engine) =>
    engine.cancel(found._id, {
      by: 'cancelBooking',
      reason: byOwner ? 'cancelled_by_user' : 'cancelled_by_admin',
      deadlineAt: ctx.deadlineAt,
    }),
  )
  const at = ctx.now()
  const cancelled = presentBooking({ ...booking, ...(reversal && { reversedBy: reversal._id }) }, at)
  return { booking: cancelled, ...(reversal && { reversal: presentBooking(reversal, at) }) }
})

async function assertCancellable(ctx: Context, booking: BookingDocument): Promise<void> {
  const kind = kindOf(booking)
  if (kind.assertCancellable) return kind.assertCancellable(ctx, booking)
  // What cost nothing is worth having back for everybody else, also when it has begun.
  if (booking.from <= ctx.now() && booking.cost > 0)
    throw new Refusal('booking_started', 'Only an admin can still cancel it.')
}
