import { define } from '../../platform/runtime/function.js'
import { presentBooking } from './booking.presenter.js'
import { moveOn } from './stuck.engine.js'
import { bookings } from './contract.js'

export default define(bookings.applyBooking, async (ctx, { bookingId }) =>
  presentBooking(
    await moveOn(ctx, bookingId, { by: 'applyBooking', from: ['INITIAL', 'PENDING', 'CANCELLING'], until: 'APPLIED' }),
    ctx.now(),
  ),
)
