import { define } from '../../platform/runtime/function.js'
import { presentBooking } from './booking.presenter.js'
import { moveOn } from './stuck.engine.js'
import { bookings } from './contract.js'

export default define(bookings.commitBooking, async (ctx, { bookingId }) =>
  presentBooking(
    await moveOn(ctx, bookingId, { by: 'commitBooking', from: ['APPLIED'], until: 'COMMITTED' }),
    ctx.now(),
  ),
)
