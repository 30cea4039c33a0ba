import mongoose from 'mongoose'
import { Refusal, type ErrorCode } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { requestOf } from '../../platform/runtime/requests.js'
import { endOf } from '../../protocol/request.js'
import { users } from '../users/contract.js'
import { settling } from './booking.engine.js'
import type { BookingDocument, CarBooking } from './booking.model.js'
import { presentBooking } from './booking.presenter.js'
import { buyerOf, newBooking, once, unlessKnown } from './booking.changes.js'
import { carTerms } from './kinds/car/car.terms.js'
import { bookings } from './contract.js'
import { costOf } from './booking.rules.js'

const { ObjectId } = mongoose.Types

export default define(bookings.createBooking, async (ctx, input) => {
  const { bookingId } = input
  const userId = buyerOf(ctx, input)
  const request = requestOf(ctx, input)
  const draft = await unlessKnown(ctx, bookingId, draftOf(ctx, input, userId))

  return settling(ctx, bookingId, async (engine) => {
    const result = await once(ctx, { bookingId, userId, request }, () =>
      draft ? engine.create(newBooking(ctx, bookingId, draft, request), ctx.deadlineAt) : 'duplicate',
    )
    return reply('earlier' in result ? await endOf(ctx, engine, result.earlier, 'createBooking') : result.fresh)
  })
})

/** What to book and what it costs; refusals from here store nothing. */
async function draftOf(
  ctx: Context,
  { carId, from, to }: { carId: string; from: string; to: string },
  userId: string,
): Promise<Pick<CarBooking, 'userId' | 'carId' | 'from' | 'to' | 'cost'>> {
  const car = await ctx.use(carTerms)(carId)
  if (!car) throw new Refusal('car_not_found', `There is no car ${carId}.`)
  if (car.retired) throw new Refusal('car_retired', 'The car takes no new bookings.')
  // The gateway knows that a caller exists; only somebody else may not.
  if (userId !== ctx.caller?.userId) await ctx.call(users.getUser, { userId })
  const period = { from: new Date(from), to: new Date(to) }
  return { userId: new ObjectId(userId), carId: car._id, ...period, cost: costOf(car.pricePerHour, period) }
}

function reply(booking: BookingDocument) {
  if (booking.state === 'COMMITTED') return presentBooking(booking)
  const bookingId = booking._id.toHexString()
  const refusal = REFUSALS[booking.reason ?? '']
  if (refusal) throw new Refusal(refusal.code, refusal.message, { bookingId })
  throw new Refusal('booking_state_changed', 'The booking was cancelled before it was decided.', {
    bookingId,
    state: booking.state,
    reason: booking.reason,
  })
}

/** Why the engine cancelled it, as it is told to clients. */
const REFUSALS: Record<string, { code: ErrorCode; message: string }> = {
  car_unavailable: { code: 'car_unavailable', message: 'The car is booked for an overlapping period, or retired.' },
  insufficient_funds: { code: 'insufficient_funds', message: 'The balance does not cover the cost.' },
}
