import mongoose from 'mongoose'
import type { Output } from '../../../../../platform/contract/contract.js'
import { define, type Context } from '../../../../../platform/runtime/function.js'
import { bookingEngine } from '../../../booking.engine.js'
import { Booking } from '../../../booking.model.js'
import { bookings } from '../../../contract.js'
import type { TrainBooking } from '../train.terms.js'

const AT_ONCE = 32

type Taken = Output<typeof bookings.takeBackBookings>['items'][number]

/**
 * Each is a cancellation of its own, as safe to repeat as any: one that is taken back already answers how. What does not
 * end in time, or waits for another booking of its user, is answered as open; whoever asked asks again.
 */
export default define(bookings.takeBackBookings, async (ctx, { bookingIds }) => {
  const found = await ctx
    .model(Booking)
    .find({ _id: { $in: bookingIds.map((each) => new mongoose.Types.ObjectId(each)) } }, FIELDS)
    .lean<Pick<TrainBooking, '_id' | keyof typeof FIELDS>[]>()
  // Half of the time for taking back, so that one that does not end leaves time to say how the others stand.
  const keepMs = ctx.remainingMs() / 2
  const outcomes = new Map<string, Taken['outcome']>()
  // A booking is durable before its train knows of it: whatever is not found there is none.
  const queue = found.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const { _id } of queue) outcomes.set(_id.toHexString(), await takeBack(ctx, _id, keepMs))
    }),
  )
  return {
    items: found.map(({ _id, userId, passengers, cost }) => ({
      bookingId: _id.toHexString(),
      userId: userId.toHexString(),
      passengers: passengers.length,
      amount: Number(cost),
      outcome: outcomes.get(_id.toHexString()) ?? 'open',
    })),
  }
})

const FIELDS = { userId: 1, passengers: 1, cost: 1 } as const

async function takeBack(ctx: Context, bookingId: mongoose.Types.ObjectId, keepMs: number): Promise<Taken['outcome']> {
  if (ctx.remainingMs() <= keepMs) return 'open'
  try {
    const { reversal } = await ctx.use(bookingEngine).cancel(bookingId, {
      by: 'callOffTrain',
      reason: 'train_called_off',
      deadlineAt: ctx.deadlineAt - keepMs,
    })
    return reversal ? 'refunded' : 'cancelled'
  } catch (error) {
    // Whatever it was, one must not hold up the others.
    ctx.log.warn({ bookingId, err: error }, 'a booking of a train that is called off is not taken back yet')
    return 'open'
  }
}
