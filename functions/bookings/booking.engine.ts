import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { long } from '../../platform/database/long.js'
import type { System } from '../../platform/runtime/system.js'
import { createEngine, Outstanding, type Engine, type Voter } from '../../protocol/engine.js'
import { mongoStore } from '../../protocol/mongoStore.js'
import { newEngineDocument, settling as settlingRequest } from '../../protocol/request.js'
import { remoteUser } from '../users/user.remote.js'
import { carriedByMove, carriedByInsert } from './booking.news.js'
import { Booking, isTrainBooking, type BookingDocument } from './booking.model.js'
import { carParticipant } from './kinds/car/car.participant.js'
import { remoteTrain, remoteSeatGiver } from './kinds/train/train.remote.js'

/**
 * The protocol's engine for bookings: the car votes here, the user in the users domain, a train in the trains domain. Seats
 * are counted when all vote; their numbers are given when it is decided.
 */
export function bookingEngine(system: System): Engine<BookingDocument> {
  const car = { ...carParticipant(system), refusal: 'car_unavailable' }
  const train = { ...remoteTrain(system), refusal: 'seats_unavailable' }
  const seats = remoteSeatGiver(system)
  const user = {
    ...remoteUser<BookingDocument>(system, 'booking', (booking) => booking),
    refusal: 'insufficient_funds',
  }
  return createEngine<BookingDocument>({
    store: mongoStore<BookingDocument>(system.model(Booking).collection, {
      encode: (booking) => ({ ...booking, cost: long(booking.cost), ...carriedByInsert(booking, system) }),
      timeoutMs: system.config.deadlinesMs.write,
    }),
    votersOf: (booking) => [isTrainBooking(booking) ? train : car, user] as Voter<BookingDocument>[],
    receiversOf: (booking) => (isTrainBooking(booking) && !booking.reverses ? [seats] : []),
    carries: (moved) => carriedByMove(moved, system),
    now: system.now,
    reversalOf: (original) => reversalOf(original, system),
    rivalsOf,
  })
}

/** A user has one outstanding booking at a time, a reversal too. */
export const rivalsOf = ({ userId }: BookingDocument) => ({ userId })

/** The booking that takes another one back: the same user, car or seats, period and cost. */
export function reversalOf(original: BookingDocument, { now, newId }: Pick<System, 'now' | 'newId'>): BookingDocument {
  const { userId, carId, trainId, lobbyId, passengers, seats, from, to, cost } = original
  return {
    ...newEngineDocument({ _id: new mongoose.Types.ObjectId(newId()), userId, from, to, cost }, now()),
    ...(carId && { carId }),
    ...(trainId && { trainId }),
    ...(lobbyId && { lobbyId }),
    ...(passengers && { passengers }),
    ...(seats && { seats }),
    reverses: original._id,
    originalCreatedAt: original.createdAt,
    request: { by: 'system', hash: '' },
    requestId: original.requestId,
  }
}

/** Runs the engine for a request: what it leaves open becomes an error that says so, and names the booking. */
export async function settling<T>(
  ctx: Context,
  bookingId: string,
  run: (engine: Engine<BookingDocument>) => Promise<T>,
): Promise<T> {
  try {
    return await settlingRequest(ctx, 'booking', bookingId, () => run(ctx.use(bookingEngine)))
  } catch (error) {
    if (error instanceof Outstanding) throw outstandingRefusal(error.outstanding as BookingDocument | undefined)
    throw error
  }
}

/** Names the user's outstanding booking, where it is still to be seen. */
export const outstandingRefusal = (outstanding?: BookingDocument): Refusal =>
  new Refusal('booking_outstanding', 'The user has another booking that is not settled yet.', {
    ...(outstanding && { bookingId: outstanding._id.toHexString() }),
  })
