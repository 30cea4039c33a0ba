import mongoose from 'mongoose'
import type { Document } from '../documents.js'
import { casesOf, id, START, type Case } from '../theatre.js'
import { BOOKINGS, cancel, COST, create, createOfRoom, hour, IDS, moveOn, recover } from './theatre.js'

/** Bookings: who meets whom, over which documents. */

const { ObjectId } = mongoose.Types

const dayOf = (time: Date): string => time.toISOString().slice(0, 10)
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

const theCase = casesOf(BOOKINGS)

export const BOOKING_CASES: readonly Case[] = [
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
