import { define } from '../../platform/runtime/function.js'
import { visibleBooking } from './booking.access.js'
import { presentBooking } from './booking.presenter.js'
import { bookings } from './contract.js'

export default define(bookings.getBooking, async (ctx, { bookingId }) =>
  presentBooking(await visibleBooking(ctx, bookingId), ctx.now()),
)
