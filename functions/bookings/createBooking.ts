import mongoose from 'mongoose'
import { Refusal, type ErrorCode } from '../../platform/errors.js'
import { define, type Context } from '../../platform/function.js'
import { isSameRequest, requestOf } from '../../platform/requests.js'
import { isFinal, isOutstanding } from '../../protocol/states.js'
import { users } from '../users/contract.js'
import { readBooking } from './booking.access.js'
import { bookingEngine, newBooking, outstandingRefusal, settling } from './booking.engine.js'
import type { BookingDocument } from './booking.model.js'
import { presentBooking } from './booking.presenter.js'
import { carTerms } from './car.terms.js'
import { bookings } from './contract.js'
import { costOf } from './booking.cost.js'

const { ObjectId } = mongoose.Types

export default define(bookings.createBooking, async (ctx, input) => {
  const { bookingId } = input
  const userId = input.userId ?? ctx.caller?.userId
  if (!userId || (ctx.caller?.role === 'user' && userId !== ctx.caller.userId)) {
    throw new Refusal('forbidden', 'Only admins book for others, naming the userId.')
  }

  const request = requestOf(ctx, input)
  const draft = await draftOf(ctx, input, userId).catch(async (refusal: unknown) => {
    // What no longer holds may have held when the same request came first: its outcome stands.
    if (await readBooking(ctx, bookingId)) return null
    throw refusal
  })

  return settling(ctx, bookingId, async (engine) => {
    const booking = {
      ...newBooking({ _id: new ObjectId(bookingId), ...draft }, ctx.now()),
      request,
      requestId: ctx.requestId,
    }
    for (let waitMs = 5; ; waitMs = Math.min(2 * waitMs, 250)) {
      const created = draft ? await engine.create(booking as BookingDocument, ctx.deadlineAt) : 'duplicate'
      if (created !== 'duplicate') return reply(created)
      const [outstanding] = await engine.find({ userId: new ObjectId(userId), ...isOutstanding }, 1)
      const earlier = outstanding?._id.equals(bookingId) ? outstanding : await engine.read(booking._id)
      if (earlier) return reply(await join(ctx, earlier, request))
      if (outstanding) throw outstandingRefusal(outstanding)
      // Nothing is to be seen: what was in the way has just ended, or is not majority yet.
      if (waitMs > ctx.remainingMs()) throw outstandingRefusal()
      await new Promise((resolve) => setTimeout(resolve, waitMs))
    }
  })
})

/** What to book and what it costs; refusals from here store nothing. */
async function draftOf(
  ctx: Context,
  { carId, from, to }: { carId: string; from: string; to: string },
  userId: string,
): Promise<Pick<BookingDocument, 'userId' | 'carId' | 'from' | 'to' | 'cost'>> {
  const car = await ctx.use(carTerms)(carId)
  if (!car) throw new Refusal('car_not_found', `There is no car ${carId}.`)
  if (car.retired) throw new Refusal('car_retired', 'The car takes no new bookings.')
  // The gateway knows that a caller exists; only somebody else may not.
  if (userId !== ctx.caller?.userId) await ctx.call(users.getUser, { userId })
  const period = { from: new Date(from), to: new Date(to) }
  return { userId: new ObjectId(userId), carId: car._id, ...period, cost: costOf(car.pricePerHour, period) }
}

/** The same id again: the first outcome, waited for, or taken over from an owner who must be dead by now. */
async function join(
  ctx: Context,
  earlier: BookingDocument,
  request: BookingDocument['request'],
): Promise<BookingDocument> {
  if (!isSameRequest(earlier.request, request)) {
    throw new Refusal('booking_id_reused', 'This bookingId was sent before with another input or by another caller.')
  }
  if (isFinal(earlier.state)) return earlier
  const engine = ctx.use(bookingEngine)
  const when = { lastModified: { $lt: new Date(ctx.now().getTime() - ctx.config.deadlinesMs.money) }, parked: false }
  const resumed = await engine.resume(earlier._id, {
    by: 'createBooking',
    why: 'the same request came again',
    when,
    deadlineAt: ctx.deadlineAt,
  })
  return resumed?.booking ?? engine.outcome(earlier._id, ctx.deadlineAt)
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
