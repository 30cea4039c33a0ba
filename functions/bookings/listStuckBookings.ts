import { define } from '../../platform/runtime/function.js'
import { pageOf } from '../../platform/runtime/pages.js'
import { stuckSince } from '../../protocol/recovery.js'
import { isOutstanding } from '../../protocol/states.js'
import { Booking } from './booking.model.js'
import { presentBooking } from './booking.presenter.js'
import { bookings } from './contract.js'

export default define(bookings.listStuckBookings, async (ctx, { parked, limit, cursor }) => {
  const since = stuckSince(ctx)
  // createdAt never changes and is never after lastModified: its index narrows, lastModified decides.
  const stuck = { ...isOutstanding, createdAt: { $lt: since } }
  const waits = { parked: true }
  const still = { parked: false, lastModified: { $lt: since } }
  const which = parked === undefined ? { $or: [waits, still] } : parked ? waits : still
  const page = { limit, cursor }
  const { documents, nextCursor } = await pageOf(ctx.model(Booking), { ...stuck, ...which }, page, 'oldestFirst')
  return { items: documents.map((each) => presentBooking(each, ctx.now())), nextCursor }
})
