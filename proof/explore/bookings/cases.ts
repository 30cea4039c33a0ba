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
import type { Document } from '../documents.js'
import type { Tools } from '../executor.js'
import type { CollectionName } from '../snapshot.js'
import type { Fault } from '../world.js'

/** The cases that are explored: who meets whom, over which documents. The code that runs is the product's own. */

const { ObjectId } = mongoose.Types
const HOUR_MS = 3_600_000
export const START = new Date('2031-01-01T00:00:00.000Z')
/** Long after: whoever looks then finds every booking stuck. Clocks serve liveness only, so anyone may, at any time. */
const LATER = new Date('2041-01-01T00:00:00.000Z')
const PRICE = 1000
const COST = 2 * PRICE

const id = (name: string): string => name.padStart(24, '0')
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

export type Main = (tools: Tools) => Promise<unknown>

export interface Case {
  name: string
  /** One sentence for the list of cases. */
  summary: string
  documents: Partial<Record<CollectionName, Document[]>>
  executors: { name: string; main: Main }[]
  /** The first executor goes alone before the others start, each way it can go with as many such faults. */
  prelude?: { fault: Fault; times: number; steps?: RegExp }
  /** Reasons for a cancellation that may be told to a client here. */
  reasons: string[]
}

const engineOver = (tools: Tools, executor: number) => {
  const now = () => START
  const newId = () => `e${executor}${tools.newId().padStart(22, '0')}`
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
const quiet = () => undefined

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
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
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
const create =
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
const createOfRoom =
  ({ bookingId = IDS.booking, userId = IDS.user, from = 1 }: Booked = {}) =>
  (executor: number): Main =>
  (tools) =>
    createBooking.handler(contextFor(tools, executor, { userId, role: 'user' }), {
      bookingId,
      roomId: IDS.room,
      from: hour(24 * from).toISOString(),
      to: hour(24 * (from + 2)).toISOString(),
    })

const cancel =
  (bookingId = IDS.booking) =>
  (executor: number): Main =>
  (tools) =>
    cancelBooking.handler(contextFor(tools, executor, { userId: IDS.other, role: 'admin' }), { bookingId })

const moveOn =
  () =>
  (executor: number): Main =>
  (tools) =>
    applyBooking.handler(contextFor(tools, executor, { userId: IDS.other, role: 'admin' }), { bookingId: IDS.booking })

const recover =
  () =>
  (executor: number): Main =>
  (tools) =>
    recoverBookings.handler(contextFor(tools, executor, null), { dryRun: false })

export const RECOVERY: Main = recover()(9)

const dayOf = (time: Date): string => time.toISOString().slice(0, 10)
const hour = (hours: number): Date => new Date(START.getTime() + (100 + hours) * HOUR_MS)

function user(userId: string, balance: number, effects: [bookingId: string, change: number][] = []): Document {
  const entry = (cause: string, causeId: string, change: number) => ({
    at: START,
    cause,
    causeId: new ObjectId(causeId),
    change,
  })
  return {
    _id: new ObjectId(userId),
    email: userId,
    balance: effects.reduce((sum, [, change]) => sum + change, balance),
    bookings: effects.map(([bookingId]) => new ObjectId(bookingId)),
    pendingBookings: [],
    tombstones: [],
    forgottenBefore: new Date(0),
    recentLedger: [
      entry('deposit', id('d1'), balance),
      ...effects.map(([bookingId, change]) => entry('booking', bookingId, change)),
    ],
    updatedAt: START,
  }
}

const thing = (thingId: string): Document => ({
  _id: new ObjectId(thingId),
  retired: false,
  bookings: [],
  pendingBookings: [],
  tombstones: [],
  forgottenBefore: new Date(0),
  updatedAt: START,
})

const car = (carId: string, active: string[] = []): Document => ({
  ...thing(carId),
  bookings: active.map((bookingId) => ({ _id: new ObjectId(bookingId), from: hour(1), to: hour(3) })),
})

const nights = { from: dayOf(hour(24)), to: dayOf(hour(24 * 3)) }

const room = (units: number, active: string[] = []): Document => ({
  ...thing(IDS.room),
  units,
  bookings: active.map((bookingId) => ({ _id: new ObjectId(bookingId), ...nights })),
})

const CAR = { carId: new ObjectId(IDS.car), from: hour(1), to: hour(3) }
const ROOM = { roomId: new ObjectId(IDS.room), nights, from: hour(24), to: hour(24 * 3) }

const committed = (bookingId: string, userId: string, booked: object = CAR): Document => ({
  _id: new ObjectId(bookingId),
  userId: new ObjectId(userId),
  ...booked,
  cost: COST,
  state: 'COMMITTED',
  epoch: 1,
  recoveries: 0,
  parked: false,
  repairs: [],
  request: { by: userId, hash: '' },
  requestId: 'request',
  createdAt: START,
  lastModified: START,
})

const RICH = { users: [user(IDS.user, 5000)], cars: [car(IDS.car)] }
const POOR = { users: [user(IDS.user, COST - 1)], cars: [car(IDS.car)] }
/** Somebody else has the car in that period. */
const BUSY = {
  users: [user(IDS.user, 5000), user(IDS.other, 5000, [[IDS.earlier, -COST]])],
  cars: [car(IDS.car, [IDS.earlier])],
  bookings: [committed(IDS.earlier, IDS.other)],
}
const BOOKED = {
  users: [user(IDS.user, 5000, [[IDS.booking, -COST]])],
  cars: [car(IDS.car, [IDS.booking])],
  bookings: [committed(IDS.booking, IDS.user)],
}

/** Left behind by an owner who crashed before its decision. */
const LEFT = {
  users: [{ ...user(IDS.user, 5000, [[IDS.booking, -COST]]), pendingBookings: [new ObjectId(IDS.booking)] }],
  cars: [{ ...car(IDS.car, [IDS.booking]), pendingBookings: [new ObjectId(IDS.booking)] }],
  bookings: [{ ...committed(IDS.booking, IDS.user), state: 'PENDING' }],
}

const CANCELLED = ['cancelled_by_admin']

interface Given extends Omit<Case, 'executors'> {
  executors: Record<string, (executor: number) => Main>
}
const theCase = ({ executors, ...given }: Given): Case => ({
  ...given,
  executors: Object.entries(executors).map(([name, make], i) => ({ name, main: make(i + 1) })),
})

export const CASES: readonly Case[] = [
  theCase({
    name: 'owner-recovery',
    summary: 'The owner of a booking, and recovery that takes it over.',
    documents: RICH,
    executors: { owner: create(), recovery: recover() },
    reasons: [],
  }),
  theCase({
    name: 'owner-recovery-poor',
    summary: 'The same, and the balance does not cover it.',
    documents: POOR,
    executors: { owner: create(), recovery: recover() },
    reasons: ['insufficient_funds'],
  }),
  theCase({
    name: 'owner-recovery-busy',
    summary: 'The same, and the car is taken.',
    documents: BUSY,
    executors: { owner: create(), recovery: recover() },
    reasons: ['car_unavailable'],
  }),
  theCase({
    name: 'owner-cancel',
    summary: 'The owner of a booking, and somebody who cancels it meanwhile.',
    documents: RICH,
    executors: { owner: create(), cancel: cancel() },
    reasons: CANCELLED,
  }),
  theCase({
    name: 'owner-cancel-poor',
    summary: 'The same, and the balance does not cover it.',
    documents: POOR,
    executors: { owner: create(), cancel: cancel() },
    reasons: ['insufficient_funds', ...CANCELLED],
  }),
  theCase({
    name: 'two-recoveries',
    summary: 'Two recoveries at once of a booking whose owner crashed, wherever it did.',
    documents: RICH,
    executors: { owner: create(), recovery: recover(), 'second recovery': recover() },
    prelude: { fault: 'crash', times: 1 },
    reasons: [],
  }),
  theCase({
    name: 'two-recoveries-poor',
    summary: 'The same, and the balance does not cover it.',
    documents: POOR,
    executors: { owner: create(), recovery: recover(), 'second recovery': recover() },
    prelude: { fault: 'crash', times: 1 },
    reasons: ['insufficient_funds'],
  }),
  theCase({
    name: 'recovery-cancel',
    summary: 'Recovery and a canceller at once of a booking whose owner crashed, wherever it did.',
    documents: RICH,
    executors: { owner: create(), recovery: recover(), cancel: cancel() },
    prelude: { fault: 'crash', times: 1 },
    reasons: CANCELLED,
  }),
  theCase({
    name: 'left-recovery-cancel',
    summary: 'The same of a booking that was left with both effects, undecided.',
    documents: LEFT,
    executors: { recovery: recover(), cancel: cancel() },
    reasons: CANCELLED,
  }),
  theCase({
    name: 'left-step-cancel',
    summary: 'An admin who moves such a booking on to APPLIED, and somebody who cancels it meanwhile.',
    documents: LEFT,
    executors: { admin: moveOn(), cancel: cancel() },
    reasons: CANCELLED,
  }),
  theCase({
    name: 'two-reversals',
    summary: 'Two cancellations at once of a COMMITTED booking.',
    documents: BOOKED,
    executors: { cancel: cancel(), 'second cancel': cancel() },
    reasons: [],
  }),
  theCase({
    name: 'reversal-late-apply',
    summary: 'The reversal of a booking one of whose first applies is still on its way, and maybe a clear.',
    documents: RICH,
    executors: { owner: create(), cancel: cancel() },
    prelude: { fault: 'late', times: 2, steps: /^(apply|clear)/ },
    reasons: CANCELLED,
  }),
  theCase({
    name: 'two-bookings',
    summary: "One user's two bookings at once, of one car, and money for one.",
    documents: { users: [user(IDS.user, 3000)], cars: [car(IDS.car)] },
    executors: { first: create(), second: create({ bookingId: IDS.second }) },
    reasons: ['insufficient_funds', 'car_unavailable'],
  }),
  theCase({
    name: 'hot-car',
    summary: "Two users' bookings at once of one car.",
    documents: { users: [user(IDS.user, 5000), user(IDS.other, 5000)], cars: [car(IDS.car)] },
    executors: { first: create(), second: create({ bookingId: IDS.second, userId: IDS.other, from: 2 }) },
    reasons: ['car_unavailable'],
  }),
  theCase({
    name: 'hot-room',
    summary: 'Three bookings at once of a room of which there are two, for nights that overlap.',
    documents: {
      users: [user(IDS.user, 5000), user(IDS.other, 5000), user(IDS.thirdUser, 5000)],
      rooms: [room(2)],
    },
    executors: {
      first: createOfRoom(),
      second: createOfRoom({ bookingId: IDS.second, userId: IDS.other, from: 2 }),
      third: createOfRoom({ bookingId: IDS.third, userId: IDS.thirdUser, from: 2 }),
    },
    reasons: ['room_unavailable'],
  }),
  theCase({
    name: 'last-room',
    summary: "Two users' bookings at once of a room of which there are two, and one is booked.",
    documents: {
      users: [user(IDS.user, 5000), user(IDS.other, 5000), user(IDS.thirdUser, 5000, [[IDS.earlier, -COST]])],
      rooms: [room(2, [IDS.earlier])],
      bookings: [committed(IDS.earlier, IDS.thirdUser, ROOM)],
    },
    executors: {
      first: createOfRoom(),
      second: createOfRoom({ bookingId: IDS.second, userId: IDS.other, from: 2 }),
    },
    reasons: ['room_unavailable'],
  }),
  theCase({
    name: 'frozen-attempt',
    summary: 'A first attempt that stands still wherever it is, while the same request is sent again.',
    documents: RICH,
    executors: { first: create(), again: create() },
    reasons: [],
  }),
  theCase({
    name: 'frozen-attempt-poor',
    summary: 'The same, and the balance does not cover it.',
    documents: POOR,
    executors: { first: create(), again: create() },
    reasons: ['insufficient_funds'],
  }),
]
