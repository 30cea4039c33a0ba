import { Refusal } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { requestOf } from '../../platform/runtime/requests.js'
import { endOf } from '../../protocol/request.js'
import { isFinal } from '../../protocol/states.js'
import { settling } from './booking.engine.js'
import { kindOf } from './booking.kinds.js'
import type { BookingDocument } from './booking.model.js'
import { presentBooking } from './booking.presenter.js'
import { buyerOf, draftOf, newBooking, once, unlessKnown } from './booking.changes.js'
import { bookings } from './contract.js'

export default define(bookings.createBooking, async (ctx, input) => {
  const { bookingId } = input
  const userId = buyerOf(ctx, input)
  const request = requestOf(ctx, input)
  const draft = await unlessKnown(ctx, bookingId, draftOf(ctx, 'createBooking', input, userId))

  return settling(ctx, bookingId, async (engine) => {
    const make = async (booking: BookingDocument) => {
      if (!isFinal(booking.state)) return engine.create(booking, ctx.deadlineAt)
      return (await engine.register(booking)) === 'duplicate' ? 'duplicate' : booking
    }
    const result = await once(ctx, { bookingId, userId, request }, () =>
      draft ? make(newBooking(ctx, bookingId, userId, draft, request)) : 'duplicate',
    )
    return reply(ctx, 'earlier' in result ? await endOf(ctx, engine, result.earlier, 'createBooking') : result.fresh)
  })
})

function reply(ctx: Context, booking: BookingDocument) {
  if (booking.state === 'COMMITTED') return presentBooking(booking, ctx.now())
  const bookingId = booking._id.toHexString()
  if (booking.reason === 'insufficient_funds') {
    throw new Refusal('insufficient_funds', 'The balance does not cover the cost.', { bookingId })
  }
  const { refusal, refusalText } = kindOf(booking)
  if (booking.reason === refusal) throw new Refusal(refusal, refusalText, { bookingId })
  throw new Refusal('booking_state_changed', 'The booking was cancelled before it was decided.', {
    bookingId,
    state: booking.state,
    reason: booking.reason,
  })
}
