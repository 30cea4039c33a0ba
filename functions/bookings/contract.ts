import { z } from 'zod'
import { backlogOperation } from '../../platform/contract/backlog.js'
import { defineContract, operation, subscriber } from '../../platform/contract/contract.js'
import { defineEvents } from '../../platform/contract/events.js'
import { defineNews } from '../../platform/contract/news.js'
import { id, listOf, money, page, time, version } from '../../platform/contract/types.js'
import { STATES } from '../../protocol/states.js'
import {
  announcedFields,
  askedOnce,
  countsOfKinds,
  newsOfKinds,
  ofKinds,
  operationsOfKinds,
  refusalsOf,
  thingAsked,
} from './kinds.rules.js'
import { fromBeforeTo, givenPeriod, ORDER, period } from './kinds/kind.rules.js'
import { STANDINGS } from './standing.rules.js'

export const state = z.enum(STATES)

export const standing = z.enum(STANDINGS)

export const booking = z.object({
  id,
  userId: id,
  /** What is booked, by its kind: `carId`, or `trainId` with `passengers`, ... */
  ...ofKinds('shows'),
  ...period,
  /** In minor units, set by the server: of a car, started hours times price. */
  cost: money,
  state,
  /** Why it was cancelled. */
  reason: z.string().optional(),
  /** A reversal: the booking that it takes back. */
  reverses: id.optional(),
  /** It was taken back by this reversal, and its money is back. */
  reversedBy: id.optional(),
  /** Whether it stands at this moment: active until it is over; cancelled where it came to nothing or was taken back. */
  standing,
  /** Recovery gave up after its limit; waits for an admin. */
  parked: z.boolean().optional(),
  createdAt: time,
  lastModified: time,
})

/** What a request to book says, whatever it books. */
const request = {
  bookingId: id.optional(),
  userId: id.optional(),
  /** More than that is refused as price_changed, before anything is held. */
  maxCost: money.optional(),
}

export const emits = defineEvents('bookings', {
  'booking:created': {
    when: 'A booking, or the reversal of one, is registered; nothing is decided yet.',
    payload: booking,
  },
  'booking:committed': { when: 'A booking is made and paid for.', payload: booking },
  'booking:refused': { when: 'A booking came to nothing: its `reason` says why.', payload: booking },
  'booking:reversed': { when: 'A reversal is done: the booking that it `reverses` is taken back.', payload: booking },
})

declare module '../../platform/contract/events.js' {
  interface EmittedEvents {
    bookings: typeof emits
  }
}

export const news = defineNews({
  'booking:updated': { when: 'To its user: a booking, or a reversal, has ended, and how.', toUser: booking },
  ...newsOfKinds,
})

/** The events that tell how a booking ended. */
export const BOOKING_ENDS = ['booking:committed', 'booking:refused', 'booking:reversed'] as const

/** Bookings carry their events themselves. */
export const carriers = { booking: 'bookings' }

export const bookings = defineContract('bookings', {
  ...operationsOfKinds,

  createBooking: operation({
    summary: 'Books a thing for a period against the balance; answers when it is COMMITTED.',
    access: 'user',
    input: z
      .strictObject({ ...request, ...ofKinds('input', 'createBooking'), ...givenPeriod })
      .refine(fromBeforeTo, ORDER)
      .superRefine(askedOnce('createBooking')),
    output: booking,
    errors: [
      'forbidden',
      'booking_id_reused',
      ...refusalsOf('createBooking', 'refuses'),
      'user_not_found',
      'invalid_input',
      'booking_started',
      'price_changed',
      'insufficient_funds',
      'too_many_bookings',
      'booking_outstanding',
      ...refusalsOf('createBooking', 'refusal'),
      'booking_state_changed',
    ],
    quota: { count: 'bookings', inLumps: true },
    deadline: 'money',
    idempotent: true,
    key: thingAsked('createBooking'),
    newId: 'bookingId',
  }),
  startBooking: operation({
    summary:
      'Books seats on a train; answers when the booking is registered. booking:confirmed or booking:rejected follows.',
    access: 'user',
    input: z.strictObject({ ...request, ...ofKinds('input', 'startBooking') }).superRefine(askedOnce('startBooking')),
    output: z.object({ bookingId: id, message: z.string() }),
    errors: [
      'forbidden',
      'booking_id_reused',
      ...refusalsOf('startBooking', 'refuses'),
      'user_not_found',
      'invalid_input',
      'booking_started',
      'price_changed',
      'too_many_bookings',
      'booking_outstanding',
    ],
    quota: { count: 'bookings', inLumps: true },
    deadline: 'money',
    idempotent: true,
    key: thingAsked('startBooking'),
    newId: 'bookingId',
  }),
  updateBooking: operation({
    summary: "Changes what a booking that stands leaves open: of a train, the passengers' names.",
    access: 'user',
    input: z.strictObject({
      bookingId: id,
      version,
      set: z.strictObject(ofKinds('changes')).refine((set) => Object.keys(set).length > 0, 'needs at least one field'),
    }),
    output: booking,
    errors: ['booking_not_found', 'booking_not_updatable', 'version_conflict', 'invalid_input'],
    deadline: 'quick',
    idempotent: false,
    key: ({ bookingId }) => bookingId,
  }),
  getBooking: operation({
    summary: 'One booking: own ones, or any for admins.',
    access: 'user',
    input: z.strictObject({ bookingId: id }),
    output: booking,
    errors: ['booking_not_found'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  listBookings: operation({
    summary: 'Bookings, newest first: own ones, or any for admins.',
    access: 'user',
    input: z.strictObject({ userId: id.optional(), state: state.optional(), standing: standing.optional(), ...page }),
    output: listOf(booking),
    errors: ['forbidden', 'invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  traceBooking: operation({
    summary: "A booking's story, for operators: the request that made it, each takeover, its reversal, what waits.",
    access: 'admin',
    input: z.strictObject({ bookingId: id }),
    output: z.object({
      booking,
      /** Of the log lines about it. */
      requestId: z.string(),
      /** Raised by each takeover. */
      epoch: z.int(),
      /** Oldest first, the newest 50. */
      repairs: z.array(z.object({ at: time, by: z.string(), from: state, why: z.string() })),
      /** Types of its events that are not delivered yet. */
      waitingEvents: z.array(z.string()),
      reversal: booking.optional(),
    }),
    errors: ['booking_not_found'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  listStuckBookings: operation({
    summary: 'Bookings that have not moved for RECOVERY_STUCK_AFTER_MS, and parked ones, oldest first.',
    access: 'admin',
    input: z.strictObject({ parked: z.boolean().optional(), ...page }),
    output: listOf(booking),
    errors: ['invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  cancelBooking: operation({
    summary:
      'Takes a booking back: own ones until they begin (of a train: until TRAIN_CANCEL_NOTICE_MS before it leaves by now), admins always. Answers when the money is back.',
    access: 'user',
    input: z.strictObject({ bookingId: id }),
    output: z.object({ booking, reversal: booking.optional() }),
    errors: [
      'booking_not_found',
      'booking_not_cancellable',
      'booking_started',
      'cancellation_too_late',
      'booking_outstanding',
    ],
    deadline: 'money',
    idempotent: true,
    key: ({ bookingId }) => bookingId,
  }),
  applyBooking: operation({
    summary: 'Takes over a stuck booking below APPLIED and moves it to APPLIED (or CANCELLED, if it is refused).',
    access: 'admin',
    input: z.strictObject({ bookingId: id }),
    output: booking,
    errors: ['booking_not_found', 'booking_not_stuck', 'booking_state_changed'],
    deadline: 'money',
    idempotent: false,
    key: ({ bookingId }) => bookingId,
  }),
  commitBooking: operation({
    summary: 'Takes over a stuck APPLIED booking and moves it to COMMITTED.',
    access: 'admin',
    input: z.strictObject({ bookingId: id }),
    output: booking,
    errors: ['booking_not_found', 'booking_not_stuck', 'booking_state_changed'],
    deadline: 'money',
    idempotent: false,
    key: ({ bookingId }) => bookingId,
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
    summary: 'Checks all books on the live system: money, payments, all that is booked, markers, outstanding bookings.',
    access: 'admin',
    input: z.strictObject({}),
    output: z.object({
      ok: z.boolean(),
      /** How many users, bookings and things of each kind: `cars`, ... */
      checked: z.object({ users: z.int(), ...countsOfKinds, bookings: z.int() }),
      violations: z.array(z.object({ rule: z.string(), entityId: z.string(), detail: z.string() })),
      /** Bookings and payments that wait for an admin. */
      parked: z.array(id),
      parkedPayments: z.array(id),
      /** Charges that wait for an admin: parked, or with a refund that failed or that the seller owes. */
      unresolvedCharges: z.array(id),
      /** Deposits and withdrawals that wait for an admin. */
      parkedTransfers: z.array(id),
      /** Invitations whose confirmation, and orders whose timer, waits for an admin. */
      parkedInvitations: z.array(id),
      parkedTimers: z.array(id),
      /** Of each list the first 1,000 are told: how many more there are, by its name. */
      untold: z.record(z.string(), z.int()).optional(),
    }),
    errors: [],
    deadline: 'sweep',
    idempotent: true,
    reads: true,
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
  announceOutcome: subscriber({
    summary: 'Tells whom it concerns how a booking ended: of a train, the buyer and the lobby it was booked from.',
    payload: booking,
    subscribes: BOOKING_ENDS,
    subscribesWhere: announcedFields,
  }),
  tidyThings: operation({
    summary: 'For the tidy job: clears leftover markers at what is booked, forgets what ended more than a day ago.',
    access: 'internal',
    input: z.strictObject({}),
    output: z.object({ cleared: z.int(), forgotten: z.int() }),
    errors: [],
    deadline: 'sweep',
    idempotent: true,
  }),
  reportStuckBookings: backlogOperation('bookings that are stuck or parked.'),
})
