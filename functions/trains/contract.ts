import { z } from 'zod'
import { defineContract, operation, subscriber } from '../../platform/contract/contract.js'
import { defineEvents } from '../../platform/contract/events.js'
import { givenTime, id, listOf, name, page, price, reasonText, time, version } from '../../platform/contract/types.js'
import { BOOKING_ENDS } from '../bookings/contract.js'
import { takenBack } from '../bookings/kinds/train/contract.js'
import { heldFields, outcome, STEP_NAMES } from '../../protocol/wire.js'

/** How many seats a train may have: each booking finds the free ones in the train's own document. */
const seatCount = z.int().min(1).max(2000)
const ORDER = { message: 'must be after departureTime', path: ['arrivalTime'] }
const PERIOD = { message: 'from must be before to', path: ['to'] }

export const train = z.object({
  id,
  route: z.string(),
  departureTime: time,
  arrivalTime: time,
  /** How many there are. */
  seats: z.int(),
  /** How many of them are still to be had. */
  availableSeats: z.int().min(0),
  /** Minor units. */
  pricePerSeat: price,
  /** It does not go, takes no booking, and everybody is refunded. */
  calledOff: z.object({ at: time, reason: z.string() }).optional(),
  version,
  createdAt: time,
  updatedAt: time,
})

const journey = train.pick({ route: true, departureTime: true, arrivalTime: true })
/** Of whoever has seats. */
const bookingIds = z.array(id)

export const emits = defineEvents('trains', {
  'train:updated': {
    when: 'A train goes at another time or on another route.',
    payload: z.object({ train, previous: journey, bookingIds }),
  },
  'train:called_off': { when: 'An admin called a train off.', payload: z.object({ train, bookingIds }) },
})

declare module '../../platform/contract/events.js' {
  interface EmittedEvents {
    trains: typeof emits
  }
}

const terms = {
  route: name,
  departureTime: givenTime,
  arrivalTime: givenTime,
  /** How many seats the train has to sell. */
  availableSeats: seatCount,
  pricePerSeat: price,
}

/** What a train needs to know of a booking, in whatever step. */
const heldSeats = z.strictObject({ ...heldFields, trainId: id, passengers: z.int().min(1) })

export const trains = defineContract('trains', {
  createTrain: operation({
    summary: 'Puts a train up for booking: one journey, with so many seats.',
    access: 'admin',
    input: z
      .strictObject({ trainId: id.optional(), ...terms })
      .refine(({ departureTime, arrivalTime }) => departureTime < arrivalTime, ORDER),
    output: train,
    errors: ['train_id_reused'],
    deadline: 'quick',
    idempotent: true,
    newId: 'trainId',
  }),
  updateTrain: operation({
    summary:
      'Changes a train, and tells its passengers of another time or route; the price holds for later bookings. availableSeats is all that it has, sold ones too.',
    access: 'admin',
    input: z.strictObject({
      trainId: id,
      version,
      set: z
        .strictObject(terms)
        .partial()
        .refine((set) => Object.keys(set).length > 0, 'needs at least one field'),
    }),
    output: train,
    errors: ['train_not_found', 'version_conflict', 'invalid_input', 'seats_sold'],
    deadline: 'quick',
    idempotent: false,
    key: ({ trainId }) => trainId,
  }),
  callOffTrain: operation({
    summary:
      'The train does not go: everybody is refunded and told. Answers how each booking stands; sent again it goes on.',
    access: 'admin',
    input: z.strictObject({ trainId: id, reason: reasonText.default('') }),
    output: z.object({
      trainId: id,
      calledOff: z.object({ at: time, reason: z.string() }),
      bookings: z.array(takenBack),
    }),
    errors: ['train_not_found'],
    deadline: 'sweep',
    idempotent: true,
  }),
  deleteTrain: operation({
    summary: 'Takes a train out, if no seat of it is booked.',
    access: 'admin',
    input: z.strictObject({ trainId: id }),
    output: z.object({ trainId: id }),
    errors: ['train_not_found', 'train_has_bookings'],
    deadline: 'quick',
    idempotent: true,
    key: ({ trainId }) => trainId,
  }),
  getTrain: operation({
    summary: 'One train, with the seats still available as of at most a second ago.',
    access: 'user',
    input: z.strictObject({ trainId: id }),
    output: train,
    errors: ['train_not_found'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  listTrains: operation({
    summary: 'Trains, oldest first, as of at most a second ago: of a route, departing in a period, with so many seats.',
    access: 'user',
    input: z
      .strictObject({
        route: name.optional(),
        from: givenTime.optional(),
        to: givenTime.optional(),
        seats: seatCount.optional(),
        ...page,
      })
      .refine(({ from, to }) => !from || !to || from < to, PERIOD),
    output: listOf(train),
    errors: ['invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),

  readTrainTerms: operation({
    summary: 'For bookings: what seats cost and when the train goes, never from the cache; null where there is none.',
    access: 'internal',
    input: z.strictObject({ trainIds: z.array(id).max(1000) }),
    output: z.object({
      terms: z.array(
        z
          .object({
            pricePerSeat: price,
            departureTime: time,
            arrivalTime: time,
            calledOff: z.boolean(),
            /** Of the train's document. */
            bytes: z.int(),
          })
          .nullable(),
      ),
    }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  findPendingOnTrain: operation({
    summary: 'For bookings: those that hold seats of a train, or gave them back, and that it has not seen decided.',
    access: 'internal',
    input: z.strictObject({ trainId: id }),
    output: z.object({ bookingIds: z.array(id) }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  moveSeats: operation({
    summary: 'For the booking engine: steps of the protocol on trains, each with its own outcome.',
    access: 'internal',
    input: z.strictObject({
      steps: z
        .array(
          z.strictObject({
            step: z.enum([...STEP_NAMES, 'give']),
            booking: heldSeats,
          }),
        )
        .min(1)
        .max(1000),
    }),
    output: z.object({
      outcomes: z.array(
        z.object({
          vote: outcome,
          /** Of the step `give`. */
          seats: z.array(z.int()).optional(),
        }),
      ),
    }),
    errors: [],
    deadline: 'step',
    idempotent: false,
    key: () => 'trains',
  }),
  auditTrains: operation({
    summary: 'For auditBooks: trains by page, with what they know of bookings, and violations seen within this domain.',
    access: 'internal',
    input: z.strictObject({ trainIds: z.array(id).max(1000).optional(), ...page }),
    output: z.object({
      items: z.array(
        z.object({
          id,
          bookings: z.array(z.object({ id, passengers: z.int(), seats: z.array(z.int()) })),
          pendingBookings: z.array(id),
          tombstones: z.array(id),
          violations: z.array(z.string()),
        }),
      ),
      nextCursor: z.string().nullable(),
    }),
    errors: ['invalid_input'],
    deadline: 'sweep',
    idempotent: true,
  }),
  tidyTrains: operation({
    summary: 'For the tidy job: clears leftover markers, forgets what was taken back more than a day ago.',
    access: 'internal',
    input: z.strictObject({}),
    output: z.object({ cleared: z.int(), forgotten: z.int() }),
    errors: [],
    deadline: 'sweep',
    idempotent: true,
  }),
  dropCachedTrain: subscriber({
    summary: 'Drops what the cache has of a train that a booking changed.',
    payload: z.object({ trainId: id.optional() }),
    subscribes: BOOKING_ENDS,
    subscribesWhere: ['trainId'],
  }),
})
