import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { failpoint } from '../../platform/lib/failpoints.js'
import { long } from '../../platform/database/long.js'
import type { System } from '../../platform/runtime/system.js'
import { createEngine, Outstanding, type Engine, type Voter } from '../../protocol/engine.js'
import { mongoStore } from '../../protocol/mongoStore.js'
import type { Participant } from '../../protocol/participant.js'
import { newEngineDocument, settling as settlingRequest } from '../../protocol/request.js'
import { Unknown, type Id, type Store } from '../../protocol/store.js'
import { remoteUser } from '../users/user.remote.js'
import { carriedByMove, carriedByInsert } from './booking.news.js'
import { bookableKinds, kindOf, ownFieldsOf, type BookableKind } from './booking.kinds.js'
import { Booking, type BookingDocument } from './booking.model.js'
import { payers } from './payer.access.js'
import { waitingForDecisions } from './waiting.participant.js'

/**
 * The protocol's engine for bookings: what is booked votes, here or in the domain where it lives (its kind knows), and
 * the user in the users domain.
 */
export function bookingEngine(system: System): Engine<BookingDocument> {
  const afterwards = new Map([...bookableKinds()].map(([name, kind]) => [name, kind.afterwards?.(system)]))
  const user = payerOf(system)
  const store = mongoStore<BookingDocument>(system.model(Booking).collection, {
    encode: (booking) => ({ ...booking, cost: long(booking.cost), ...carriedByInsert(booking, system) }),
    timeoutMs: system.config.deadlinesMs.write,
  })
  const original = originalOf(store)
  const things = new Map([...bookableKinds()].map(([name, kind]) => [name, voterOf(kind, system, store)]))
  return createEngine<BookingDocument>({
    store,
    votersOf: (booking) => [things.get(kindOf(booking).name) as Voter<BookingDocument>, user],
    receiversOf(booking) {
      const last = booking.reverses ? original : afterwards.get(kindOf(booking).name)
      return last ? [last] : []
    },
    carries: (moved) => carriedByMove(moved, system),
    now: system.now,
    reversalOf: (original) => reversalOf(original, system),
    rivalsOf,
  })
}

/**
 * Of a reversal, the booking that it takes back learns of it last: after the decision, which nothing undoes, and before the
 * reversal's end. So where that is COMMITTED, the original says that it was taken back, whoever crashed in between.
 */
export function originalOf(store: Pick<Store<BookingDocument>, 'update'>): Participant<BookingDocument> {
  const never = (): Promise<never> => Promise.reject(new Unknown('a reversal is never taken back'))
  return {
    async apply({ _id, reverses }) {
      const mark = { id: reverses as Id, guard: { reversedBy: null }, change: { $set: { reversedBy: _id } } }
      await failpoint('markOriginal.before')
      const landed = await store.update('markOriginal', mark, 'majority')
      await failpoint('markOriginal.after')
      return landed.matched || landed.seen?.reversedBy?.equals(_id) ? 'ok' : 'refused'
    },
    clear: () => Promise.resolve(),
    undo: never,
    void: never,
    reverse: never,
  }
}

function payerOf(system: System): Voter<BookingDocument> {
  const user = remoteUser<BookingDocument>(system, 'booking', (booking) => booking)
  return {
    ...user,
    async apply(booking) {
      const vote = await user.apply(booking)
      if (vote === 'refused') system.use(payers).couldNotPay(booking.userId.toHexString())
      return vote
    },
    refusal: 'insufficient_funds',
  }
}

function voterOf(
  kind: BookableKind,
  system: System,
  store: Pick<Store<BookingDocument>, 'find'>,
): Voter<BookingDocument> {
  async function isHeldUndecided(booking: BookingDocument): Promise<boolean> {
    const held = await kind.holders(system, booking)
    if (!held) return false
    const [undecided] = await store.find({ ...held, state: { $in: ['PENDING', 'CANCELLING'] } }, 1)
    return undecided !== undefined
  }
  return { ...waitingForDecisions(kind.participant(system), isHeldUndecided), refusal: kind.refusal }
}

/** A user has one outstanding booking at a time, a reversal too. */
export const rivalsOf = ({ userId }: BookingDocument) => ({ userId })

/** The booking that takes another one back: the same user, thing, period and cost. */
export function reversalOf(original: BookingDocument, { now, newId }: Pick<System, 'now' | 'newId'>): BookingDocument {
  const { userId, from, to, cost } = original
  return {
    ...newEngineDocument({ _id: new mongoose.Types.ObjectId(newId()), userId, from, to, cost }, now()),
    ...ownFieldsOf(original),
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
