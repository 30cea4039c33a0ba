import { z } from 'zod'
import { defineContract, operation, subscriber } from '../../platform/contract/contract.js'
import { id, listOf, money, name, page, price, time, version } from '../../platform/contract/types.js'
import { STATES } from '../../protocol/states.js'

export const state = z.enum(STATES)

const period = { from: time, to: time }
const fromBeforeTo = (p: { from?: string | undefined; to?: string | undefined }) => !p.from || !p.to || p.from < p.to
const bothOrNeither = (p: { from?: string | undefined; to?: string | undefined }) => !p.from === !p.to
const ORDER = { message: 'from must be before to', path: ['to'] }
const PAIR = { message: 'from and to go together', path: ['to'] }

export const car = z.object({
  id,
  name: z.string(),
  /** Minor units per started hour. */
  pricePerHour: price,
  retired: z.boolean(),
  version,
  /** Admins only. */
  bookings: z.array(z.object({ id, ...period })).optional(),
  pendingBookings: z.array(id).optional(),
  createdAt: time,
  updatedAt: time,
})

/** As many as seats are wanted. */
const passengers = z.array(z.strictObject({ name })).min(1).max(100)

/** The events that tell how a booking ended. */
export const BOOKING_ENDS = ['booking:committed', 'booking:refused', 'booking:reversed'] as const

export const booking = z.object({
  id,
  userId: id,
  /** A booking has a car, or a train with passengers. */
  carId: id.optional(),
  trainId: id.optional(),
  /** Seats are numbered when the booking is COMMITTED; taken back, their numbers are free again. */
  passengers: z.array(z.object({ name: z.string(), seat: z.int().optional() })).optional(),
  /** Of a train booking: raised by updateBooking. */
  version: version.optional(),
  ...period,
  /** Started hours, or seats, times price, in minor units. */
  cost: money,
  state,
  /** Why it was cancelled. */
  reason: z.string().optional(),
  /** A reversal: the booking that it takes back. */
  reverses: id.optional(),
  /** Recovery gave up after its limit; waits for an admin. */
  parked: z.boolean().optional(),
  createdAt: time,
  lastModified: time,
})

/** Bookings carry their events themselves. */
export const carriers = { booking: 'bookings' }

export const bookings = defineContract('bookings', {
  createCar: operation({
    summary: 'Puts a car up for booking.',
    access: 'admin',
    input: z.strictObject({ carId: id.optional(), name, pricePerHour: price }),
    output: car,
    errors: ['car_id_reused'],
    deadline: 'quick',
    idempotent: true,
    newId: 'carId',
  }),
  updateCar: operation({
    summary: 'Changes name or price (of later bookings), or retires the car: bookings stand, new ones are refused.',
    access: 'admin',
    input: z.strictObject({
      carId: id,
      version,
      set: z
        .strictObject({ name: name.optional(), pricePerHour: price.optional(), retired: z.boolean().optional() })
        .refine((set) => Object.keys(set).length > 0, 'needs at least one field'),
    }),
    output: car,
    errors: ['car_not_found', 'version_conflict'],
    deadline: 'quick',
    idempotent: false,
  }),
  listCars: operation({
    summary: 'Cars, oldest first; with a period only those that are free in it. Retired ones are for admins.',
    access: 'user',
    input: z
      .strictObject({ from: time.optional(), to: time.optional(), ...page })
      .refine(bothOrNeither, PAIR)
      .refine(fromBeforeTo, ORDER),
    output: listOf(car),
    errors: ['invalid_input'],
    deadline: 'quick',
    idempotent: true,
  }),
  getCar: operation({
    summary: 'One car; with a period also when it is busy in it.',
    access: 'user',
    input: z
      .strictObject({ carId: id, from: time.optional(), to: time.optional() })
      .refine(bothOrNeither, PAIR)
      .refine(fromBeforeTo, ORDER),
    output: car.extend({ busy: z.array(z.object(period)).optional() }),
    errors: ['car_not_found'],
    deadline: 'quick',
    idempotent: true,
  }),
  createBooking: operation({
    summary: 'Books a car for a period against the balance; answers when it is COMMITTED.',
    access: 'user',
    input: z
      .strictObject({ bookingId: id.optional(), carId: id, ...period, userId: id.optional() })
      .refine(fromBeforeTo, ORDER),
    output: booking,
    errors: [
      'forbidden',
      'booking_id_reused',
      'car_not_found',
      'car_retired',
      'user_not_found',
      'booking_outstanding',
      'car_unavailable',
      'insufficient_funds',
      'booking_state_changed',
    ],
    deadline: 'money',
    idempotent: true,
    newId: 'bookingId',
  }),
  startBooking: operation({
    summary:
      'Books seats on a train; answers when the booking is registered. booking:confirmed or booking:rejected follows.',
    access: 'user',
    input: z
      .strictObject({
        bookingId: id.optional(),
        userId: id.optional(),
        lobbyId: id.optional(),
        trainId: id.optional(),
        passengers,
      })
      .refine(({ lobbyId, trainId }) => !lobbyId !== !trainId, {
        message: 'either lobbyId or trainId',
        path: ['trainId'],
      }),
    output: z.object({ bookingId: id, message: z.string() }),
    errors: [
      'forbidden',
      'booking_id_reused',
      'lobby_not_found',
      'train_not_found',
      'user_not_found',
      'invalid_input',
      'booking_outstanding',
    ],
    deadline: 'money',
    idempotent: true,
    newId: 'bookingId',
  }),
  updateBooking: operation({
    summary: "Changes the passengers' names of a train booking that stands.",
    access: 'user',
    input: z.strictObject({ bookingId: id, version, set: z.strictObject({ passengers }) }),
    output: booking,
    errors: ['booking_not_found', 'booking_not_updatable', 'version_conflict', 'invalid_input'],
    deadline: 'quick',
    idempotent: false,
  }),
  getBooking: operation({
    summary: 'One booking: own ones, or any for admins.',
    access: 'user',
    input: z.strictObject({ bookingId: id }),
    output: booking,
    errors: ['booking_not_found'],
    deadline: 'quick',
    idempotent: true,
  }),
  listBookings: operation({
    summary: 'Bookings, newest first: own ones, or any for admins.',
    access: 'user',
    input: z.strictObject({ userId: id.optional(), state: state.optional(), ...page }),
    output: listOf(booking),
    errors: ['forbidden', 'invalid_input'],
    deadline: 'quick',
    idempotent: true,
  }),
  cancelBooking: operation({
    summary: 'Takes a booking back: own ones until they begin, admins always. Answers when the money is back.',
    access: 'user',
    input: z.strictObject({ bookingId: id }),
    output: z.object({ booking, reversal: booking.optional() }),
    errors: ['booking_not_found', 'booking_not_cancellable', 'booking_started', 'booking_outstanding'],
    deadline: 'money',
    idempotent: true,
  }),
  applyBooking: operation({
    summary: 'Takes over a stuck booking below APPLIED and moves it to APPLIED (or CANCELLED, if it is refused).',
    access: 'admin',
    input: z.strictObject({ bookingId: id }),
    output: booking,
    errors: ['booking_not_found', 'booking_not_stuck', 'booking_state_changed'],
    deadline: 'money',
    idempotent: false,
  }),
  commitBooking: operation({
    summary: 'Takes over a stuck APPLIED booking and moves it to COMMITTED.',
    access: 'admin',
    input: z.strictObject({ bookingId: id }),
    output: booking,
    errors: ['booking_not_found', 'booking_not_stuck', 'booking_state_changed'],
    deadline: 'money',
    idempotent: false,
  }),
  recoverBookings: operation({
    summary: 'Drives stuck bookings to their end; the recovery job calls it. With bookingId one, parked or not.',
    access: 'admin',
    input: z.strictObject({ dryRun: z.boolean().default(false), bookingId: id.optional() }),
    output: z.object({
      examined: z.int(),
      reapplied: z.int(),
      committed: z.int(),
      cancelled: z.int(),
      parked: z.int(),
    }),
    errors: ['booking_not_found', 'booking_not_stuck'],
    deadline: 'sweep',
    idempotent: true,
  }),
  auditBooks: operation({
    summary: 'Checks all books on the live system: money, payments, cars, seats, markers, outstanding bookings.',
    access: 'admin',
    input: z.strictObject({}),
    output: z.object({
      ok: z.boolean(),
      checked: z.object({ users: z.int(), cars: z.int(), trains: z.int(), bookings: z.int() }),
      violations: z.array(z.object({ rule: z.string(), entityId: z.string(), detail: z.string() })),
      /** Bookings and payments that wait for an admin. */
      parked: z.array(id),
      parkedPayments: z.array(id),
    }),
    errors: [],
    deadline: 'sweep',
    idempotent: true,
  }),

  findSettledBookings: operation({
    summary: 'For tidying: which of these bookings are final, and with `before` also created and ended before it.',
    access: 'internal',
    input: z.strictObject({
      bookingIds: z.array(id).max(1000),
      before: time.optional(),
      createdBefore: time.optional(),
    }),
    output: z.object({ settled: z.array(id) }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  findOutstandingOnTrain: operation({
    summary: 'For tidyTrains: whether a booking of the train, created before a moment, is not final.',
    access: 'internal',
    input: z.strictObject({ trainId: id, before: time }),
    output: z.object({ outstanding: z.boolean() }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  announceOutcome: subscriber({
    summary: 'Tells the buyer, and the lobby that the seats were booked from, how a train booking ended.',
    payload: booking,
    subscribes: BOOKING_ENDS,
    subscribesWhere: 'trainId',
  }),
  tidyCars: operation({
    summary: 'For the tidy job: clears leftover markers, forgets what ended more than a day ago.',
    access: 'internal',
    input: z.strictObject({}),
    output: z.object({ cleared: z.int(), forgotten: z.int() }),
    errors: [],
    deadline: 'sweep',
    idempotent: true,
  }),
})
