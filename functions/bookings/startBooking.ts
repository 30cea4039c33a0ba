import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { invalidInput } from '../../platform/runtime/invocation.js'
import { requestOf } from '../../platform/runtime/requests.js'
import { OutOfTime } from '../../protocol/engine.js'
import { Unknown } from '../../protocol/store.js'
import { users } from '../users/contract.js'
import { bookingEngine, settling } from './booking.engine.js'
import type { BookingDocument, TrainBooking } from './booking.model.js'
import { buyerOf, newBooking, once, unlessKnown } from './booking.changes.js'
import { bookings } from './contract.js'
import { lobbyTerms, trainTerms } from './kinds/train/train.terms.js'

const { ObjectId } = mongoose.Types

export default define(bookings.startBooking, async (ctx, input) => {
  const { bookingId } = input
  const userId = buyerOf(ctx, input)
  const request = requestOf(ctx, input)
  const draft = await unlessKnown(ctx, bookingId, draftOf(ctx, input, userId))

  const booking = draft && newBooking(ctx, bookingId, draft, request)
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

type Draft = Pick<TrainBooking, 'userId' | 'trainId' | 'lobbyId' | 'passengers' | 'from' | 'to' | 'cost'>

/** What to book and what it costs; refusals from here store nothing. */
async function draftOf(
  ctx: Context,
  input: { lobbyId?: string | undefined; trainId?: string | undefined; passengers: { name: string }[] },
  userId: string,
): Promise<Draft> {
  const trainId = input.trainId ?? (await ctx.use(lobbyTerms)(input.lobbyId as string))?.trainId
  if (trainId === undefined) throw new Refusal('lobby_not_found', `There is no lobby ${input.lobbyId}.`)
  const train = await ctx.use(trainTerms)(trainId)
  if (!train) throw new Refusal('train_not_found', `There is no train ${trainId}.`)
  // The gateway knows that a caller exists; only somebody else may not.
  if (userId !== ctx.caller?.userId) await ctx.call(users.getUser, { userId })
  const cost = input.passengers.length * train.pricePerSeat
  if (!Number.isSafeInteger(cost)) {
    throw invalidInput({ issues: [{ path: ['passengers'], message: 'the cost of so many would pass 2^53 - 1' }] })
  }
  return {
    userId: new ObjectId(userId),
    trainId: new ObjectId(trainId),
    ...(input.lobbyId !== undefined && { lobbyId: new ObjectId(input.lobbyId) }),
    passengers: input.passengers.map(({ name }) => name),
    from: new Date(train.departureTime),
    to: new Date(train.arrivalTime),
    cost,
  }
}
