import mongoose from 'mongoose'
import { coalesce } from '../../platform/coalesce.js'
import { Refusal } from '../../platform/errors.js'
import type { Context } from '../../platform/function.js'
import { long } from '../../platform/long.js'
import type { System } from '../../platform/system.js'
import { createEngine, OutOfTime, Outstanding, type Engine, type Voter } from '../../protocol/engine.js'
import { mongoStore } from '../../protocol/mongoStore.js'
import type { Vote } from '../../protocol/participant.js'
import { Unknown } from '../../protocol/store.js'
import { users } from '../users/contract.js'
import { Booking, type BookingDocument } from './booking.model.js'
import { carParticipant } from './car.participant.js'

/** The protocol's engine for car bookings: the car votes here, the user in the users domain. */
export function bookingEngine(system: System): Engine<BookingDocument> {
  return createEngine<BookingDocument>({
    store: mongoStore<BookingDocument>(system.model(Booking).collection, {
      encode: (booking) => ({ ...booking, cost: long(booking.cost) }),
      timeoutMs: Math.floor((system.config.deadlinesMs.step * 2) / 3),
    }),
    voters: [{ ...carParticipant(system), refusal: 'car_unavailable' }, userVoter(system)],
    now: system.now,
    reversalOf: (original) => reversalOf(original, system),
  })
}

/** The booking that takes another one back: the same user, car, period and cost. */
export function reversalOf(original: BookingDocument, { now, newId }: Pick<System, 'now' | 'newId'>): BookingDocument {
  const { userId, carId, from, to, cost } = original
  return {
    ...newBooking({ _id: new mongoose.Types.ObjectId(newId()), userId, carId, from, to, cost }, now()),
    reverses: original._id,
    originalCreatedAt: original.createdAt,
    request: { by: 'system', hash: '' },
    requestId: original.requestId,
  }
}

/** The fields that every booking starts with. */
export const newBooking = <T extends object>(what: T, at: Date) => ({
  ...what,
  state: 'INITIAL' as const,
  epoch: 1,
  recoveries: 0,
  parked: false,
  repairs: [],
  createdAt: at,
  lastModified: at,
})

type Step = 'apply' | 'clear' | 'undo' | 'void' | 'reverse'

/**
 * The user, behind calls to the users domain. Steps of concurrent bookings share a message, as their writes share a
 * journal flush. A lost call leaves each of its steps unknown.
 */
function userVoter(system: System): Voter<BookingDocument> {
  const send = coalesce<{ step: Step; booking: ReturnType<typeof onTheWire> }, Vote>(
    async (steps) => {
      const { outcomes } = await system
        .call(users.moveFunds, { steps }, { caller: null, requestId: system.newId() })
        .catch((error: unknown) => {
          throw new Unknown(`moveFunds: ${(error as Error).message}`, { cause: error })
        })
      return outcomes.map((outcome) => (outcome === 'unknown' ? new Unknown('moveFunds: outcome unknown') : outcome))
    },
    {
      maxBatch: 256,
      maxInFlight: 4,
      timeoutMs: system.config.deadlinesMs.step,
      onTimeout: () => new Unknown('moveFunds: no answer in time'),
    },
  )
  const step = (name: Step) => async (booking: BookingDocument) => {
    await send({ step: name, booking: onTheWire(booking) })
  }
  return {
    refusal: 'insufficient_funds',
    apply: (booking) => send({ step: 'apply', booking: onTheWire(booking) }),
    clear: step('clear'),
    undo: step('undo'),
    void: step('void'),
    reverse: step('reverse'),
  }
}

const onTheWire = (booking: BookingDocument) => ({
  id: booking._id.toHexString(),
  userId: booking.userId.toHexString(),
  cost: booking.cost,
  createdAt: booking.createdAt.toISOString(),
  ...(booking.reverses && { reverses: booking.reverses.toHexString() }),
  ...(booking.originalCreatedAt && { originalCreatedAt: booking.originalCreatedAt.toISOString() }),
})

/** Runs the engine for a request: what it leaves open becomes an error that says so, and names the booking. */
export async function settling<T>(
  ctx: Context,
  bookingId: string,
  run: (engine: Engine<BookingDocument>) => Promise<T>,
): Promise<T> {
  const engine = ctx.use(bookingEngine)
  try {
    return await run(engine)
  } catch (error) {
    if (error instanceof Unknown || error instanceof OutOfTime) {
      ctx.log.warn({ bookingId, why: error.message }, 'outcome unknown')
      throw new Refusal(
        'deadline_exceeded',
        'The booking did not settle in time; it will by itself. Send the same request again to learn how.',
        { bookingId },
        { cause: error },
      )
    }
    if (error instanceof Outstanding) throw outstandingRefusal(error.outstanding as BookingDocument | undefined)
    throw error
  }
}

/** Names the user's outstanding booking, where it is still to be seen. */
export const outstandingRefusal = (outstanding?: BookingDocument): Refusal =>
  new Refusal('booking_outstanding', 'The user has another booking that is not settled yet.', {
    ...(outstanding && { bookingId: outstanding._id.toHexString() }),
  })
