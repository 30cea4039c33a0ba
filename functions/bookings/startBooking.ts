import { define, type Context } from '../../platform/runtime/function.js'
import { requestOf } from '../../platform/runtime/requests.js'
import { OutOfTime } from '../../protocol/engine.js'
import { Unknown } from '../../protocol/store.js'
import { bookingEngine, settling } from './booking.engine.js'
import type { BookingDocument } from './booking.model.js'
import { buyerOf, draftOf, newBooking, once, unlessKnown } from './booking.changes.js'
import { bookings } from './contract.js'

export default define(bookings.startBooking, async (ctx, input) => {
  const { bookingId } = input
  const userId = buyerOf(ctx, input)
  const request = requestOf(ctx, input)
  const draft = await unlessKnown(ctx, bookingId, draftOf(ctx, 'startBooking', input, userId))

  const booking = draft && newBooking(ctx, bookingId, userId, draft, request)
  const result = await settling(ctx, bookingId, (engine) =>
    once(ctx, { bookingId, userId, request }, () => (booking ? engine.register(booking) : 'duplicate')),
  )
  if (booking && 'fresh' in result) ctx.goOn(begin(ctx, booking))
  return { bookingId, message: 'Registered. booking:confirmed or booking:rejected will follow.' }
})

/** After the answer. Whatever ends it here, the booking is registered: recovery drives it on. */
async function begin(ctx: Context, booking: BookingDocument): Promise<void> {
  try {
    await ctx.use(bookingEngine).begin(booking, ctx.deadlineAt)
  } catch (error) {
    const expected = error instanceof Unknown || error instanceof OutOfTime
    ctx.log[expected ? 'warn' : 'error'](
      { bookingId: booking._id, err: error },
      'a started booking is left to recovery',
    )
  }
}
