import { define } from '../../../platform/runtime/function.js'
import { unsettledOf } from '../../../protocol/recovery.js'
import { backlogCheck } from '../../../protocol/backlog.js'
import { Booking } from '../booking.model.js'
import { bookings } from '../contract.js'

export default define(bookings.reportStuckBookings, async (ctx) => ({
  checks: [backlogCheck('bookings', await unsettledOf(ctx, Booking), ctx.now())],
}))
