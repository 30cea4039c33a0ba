import { Refusal } from '../../../../../platform/contract/errors.js'
import { define } from '../../../../../platform/runtime/function.js'
import { bookings } from '../../../contract.js'

/** Delivered until it succeeds: so everybody is refunded, whatever became of the call that called the train off. */
export default define(bookings.refundCalledOffTrain, async (ctx, { payload: { bookingIds } }) => {
  if (bookingIds.length === 0) return {}
  const { items } = await ctx.call(bookings.takeBackBookings, { bookingIds })
  const open = items.filter(({ outcome }) => outcome === 'open')
  if (open.length > 0) throw new Refusal('unavailable', `${open.length} bookings are not taken back yet.`)
  return {}
})
