import { define } from '../../platform/runtime/function.js'
import { pageOf } from '../../platform/runtime/pages.js'
import { maybeStuck, stuckSince } from '../../protocol/recovery.js'
import { Booking } from './booking.model.js'
import { presentBooking } from './booking.presenter.js'
import { bookings } from './contract.js'

export default define(bookings.listStuckBookings, async (ctx, { parked, limit, cursor }) => {
  const waits = { parked: true }
  const still = { parked: false, lastModified: { $lt: stuckSince(ctx) } }
  const which = parked === undefined ? { $or: [waits, still] } : parked ? waits : still
  const page = { limit, cursor }
  const { documents, nextCursor } = await pageOf(
    ctx.model(Booking),
    { ...maybeStuck(ctx), ...which },
    page,
    'oldestFirst',
  )
  return { items: documents.map((each) => presentBooking(each, ctx.now())), nextCursor }
})
