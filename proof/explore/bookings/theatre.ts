import mongoose from 'mongoose'
import applyBooking from '../../../functions/bookings/applyBooking.js'
import cancelBooking from '../../../functions/bookings/cancelBooking.js'
import createBooking from '../../../functions/bookings/createBooking.js'
import recoverBookings from '../../../functions/bookings/recoverBookings.js'
import { bookingEngine, originalOf, reversalOf, rivalsOf } from '../../../functions/bookings/booking.engine.js'
import type { BookingDocument } from '../../../functions/bookings/booking.model.js'
import { payers } from '../../../functions/bookings/payer.access.js'
import type { CarDocument } from '../../../functions/bookings/kinds/car/car.model.js'
import { carRules } from '../../../functions/bookings/kinds/car/car.kind.js'
// The third kind that there is; the first two are imported for their rules.
import '../../../functions/bookings/kinds/train/train.kind.js'
import type { RoomDocument } from '../../../functions/bookings/kinds/room/room.model.js'
import { roomRules } from '../../../functions/bookings/kinds/room/room.kind.js'
import type { UserDocument } from '../../../functions/users/user.model.js'
import { bookingRules } from '../../../functions/users/user.participant.js'
import type { Caller } from '../../../platform/contract/caller.js'
import type { Context } from '../../../platform/runtime/function.js'
import { createEngine } from '../../../protocol/engine.js'
import { participant } from '../../../protocol/participant.js'
import type { Tools } from '../executor.js'
import { id, newIdsOf, QUIET, START, type Main, type Theatre } from '../theatre.js'
import { checkAlways, checkEnding, checkSettled, checkWrite, isOutstanding, outcome } from './books.js'

/** Bookings: the engine and the participants over the explorer's stores. The code that runs is the product's own. */

const { ObjectId } = mongoose.Types
const HOUR_MS = 3_600_000
/** Long after: whoever looks then finds every booking stuck. Clocks serve liveness only, so anyone may, at any time. */
const LATER = new Date('2041-01-01T00:00:00.000Z')
const PRICE = 1000
export const COST = 2 * PRICE

export const IDS = {
  user: id('a1'),
  other: id('a2'),
  thirdUser: id('a3'),
  car: id('c1'),
  room: id('f1'),
  booking: id('b1'),
  second: id('b2'),
  third: id('b3'),
  earlier: id('b0'),
}

const engineOver = (tools: Tools, executor: number) => {
  const now = () => START
  const newId = newIdsOf(tools, executor)
  const car = { ...participant(tools.store<CarDocument>('cars'), carRules({ now })), refusal: 'car_unavailable' }
  const room = {
    ...participant(tools.store<RoomDocument>('rooms'), roomRules({ now })),
    refusal: 'room_unavailable',
  }
  const user = {
    ...participant(tools.store<UserDocument>('users'), bookingRules({ now })),
    refusal: 'insufficient_funds',
  }
  const store = tools.store<BookingDocument>('bookings')
  const original = originalOf(store)
  return createEngine<BookingDocument>({
    store,
    votersOf: (booking) => ['roomId' in booking ? room : car, user],
    receiversOf: (booking) => (booking.reverses ? [original] : []),
    now,
    reversalOf: (original) => reversalOf(original, { now, newId }),
    rivalsOf,
    pause: tools.pause,
  })
}

const RECOVERY_MS: Context['config']['recovery'] = { stuckAfterMs: 300_000, intervalMs: 30_000, lockMs: 60_000 }

/** What a handler gets: the engine over the explorer's stores, time that only passes for others, no deadline. */
function contextFor(tools: Tools, executor: number, caller: Caller | null): Context {
  const engine = engineOver(tools, executor)
  let looks = 0
  const context = {
    config: { deadlinesMs: { money: 60_000 }, recovery: RECOVERY_MS, maxDocumentBytes: Infinity },
    // It looks whether the period has begun, and when the booking was made.
    now: () => (looks++ < 2 && caller?.role === 'user' ? START : LATER),
    use: (make: unknown) => (make === bookingEngine ? engine : make === payers ? KNOWN_PAYERS : termsOf),
    caller,
    requestId: 'request',
    deadlineAt: Infinity,
    // Enough to go on, too little to wait for another's booking to end.
    remainingMs: () => 1,
    log: QUIET,
  }
  return context as unknown as Context
}

/** Neither the catalogue nor the look at the balance is part of the protocol: everything exists, and everybody goes on. */
const termsOf = (thingId: string) => Promise.resolve({ ...TERMS, _id: new ObjectId(thingId) })
const TERMS = { pricePerHour: PRICE, pricePerNight: PRICE, timeZone: 'UTC', retired: false, bytes: 0 }
const KNOWN_PAYERS = { look: () => Promise.resolve(undefined) }

interface Booked {
  bookingId?: string
  userId?: string
  from?: number
}
/** Two hours of the car. */
export const create =
  ({ bookingId = IDS.booking, userId = IDS.user, from = 1 }: Booked = {}) =>
  (executor: number): Main =>
  (tools) =>
    createBooking.handler(contextFor(tools, executor, { userId, role: 'user' }), {
      bookingId,
      carId: IDS.car,
      from: hour(from).toISOString(),
      to: hour(from + 2).toISOString(),
    })

/** Two nights of the room. */
export const createOfRoom =
  ({ bookingId = IDS.booking, userId = IDS.user, from = 1 }: Booked = {}) =>
  (executor: number): Main =>
  (tools) =>
    createBooking.handler(contextFor(tools, executor, { userId, role: 'user' }), {
      bookingId,
      roomId: IDS.room,
      from: hour(24 * from).toISOString(),
      to: hour(24 * (from + 2)).toISOString(),
    })

export const cancel =
  (bookingId = IDS.booking) =>
  (executor: number): Main =>
  (tools) =>
    cancelBooking.handler(contextFor(tools, executor, { userId: IDS.other, role: 'admin' }), { bookingId })

export const moveOn =
  () =>
  (executor: number): Main =>
  (tools) =>
    applyBooking.handler(contextFor(tools, executor, { userId: IDS.other, role: 'admin' }), { bookingId: IDS.booking })

export const recover =
  () =>
  (executor: number): Main =>
  (tools) =>
    recoverBookings.handler(contextFor(tools, executor, null), { dryRun: false })

export const hour = (hours: number): Date => new Date(START.getTime() + (100 + hours) * HOUR_MS)

export const BOOKINGS: Theatre = {
  // What decides apart from the money.
  replicaSets: [['bookings', 'cars', 'rooms'], ['users']],
  recovery: recover()(9),
  isOutstanding,
  checkAlways,
  checkWrite: (collection, before, after) => (collection === 'bookings' ? checkWrite(before, after) : undefined),
  checkSettled,
  checkEnding,
  outcome,
}
