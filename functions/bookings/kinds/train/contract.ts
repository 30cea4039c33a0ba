import { z } from 'zod'
import { operation, subscriber } from '../../../../platform/contract/contract.js'
import { id, money, name, time, version } from '../../../../platform/contract/types.js'
import { defineKind } from '../kind.rules.js'

/** As many as seats are wanted. */
const passengers = z.array(z.strictObject({ name })).min(1).max(100)

/** What became of a booking of a train that was called off; open: it is still being taken back. */
export const takenBack = z.object({
  bookingId: id,
  userId: id,
  passengers: z.int(),
  /** What was paid, and is back where it is refunded. */
  amount: money,
  /** cancelled: it was never decided, or its money never taken. */
  outcome: z.enum(['refunded', 'cancelled', 'open']),
})

const journey = { route: z.string(), departureTime: time, arrivalTime: time }

/** What the trains' events say. */
const trainNews = z.object({
  train: z.object({ id, ...journey, calledOff: z.object({ reason: z.string() }).optional() }),
  previous: z.object(journey).optional(),
  /** Whose seats are held. */
  bookingIds: z.array(id),
})

/** Seats on a train. The trains themselves live in the trains domain, with their operations. */
export default defineKind({
  name: 'train',
  bookedBy: 'startBooking',
  /** From a lobby: its train, and its members are told. */
  input: { lobbyId: id.optional(), trainId: id.optional(), passengers },
  rule: ({ lobbyId, trainId }) =>
    !lobbyId === !trainId ? { path: ['trainId'], message: 'either lobbyId or trainId' } : undefined,
  askedBy: ['lobbyId', 'trainId'],
  shows: {
    trainId: id,
    /** Seats are numbered when the booking is COMMITTED; taken back, their numbers are free again. */
    passengers: z.array(z.object({ name: z.string(), seat: z.int().optional() })),
    /** Raised by updateBooking. */
    version,
  },
  changes: { passengers },
  refuses: ['lobby_not_found', 'removed_from_lobby', 'train_not_found', 'train_called_off'],
  refusal: 'seats_unavailable',
  announces: true,
  operations: {
    findOutstandingOnTrain: operation({
      summary: 'For tidyTrains: whether a booking of the train, created before a moment, is not final.',
      access: 'internal',
      input: z.strictObject({ trainId: id, before: time }),
      output: z.object({ outstanding: z.boolean() }),
      errors: [],
      deadline: 'quick',
      idempotent: true,
    }),
    takeBackBookings: operation({
      summary: 'For trains that are called off: takes these bookings back, and says how each stands.',
      access: 'internal',
      input: z.strictObject({ bookingIds: z.array(id).min(1).max(2000) }),
      output: z.object({ items: z.array(takenBack) }),
      errors: [],
      deadline: 'sweep',
      idempotent: true,
    }),
    refundCalledOffTrain: subscriber({
      summary: 'Takes all bookings of a train back that was called off.',
      payload: trainNews,
      subscribes: ['train:called_off'],
      deadline: 'sweep',
    }),
    announceTrain: subscriber({
      summary: 'Tells passengers and lobbies that their train goes at another time or on another route, or not at all.',
      payload: trainNews,
      subscribes: ['train:updated', 'train:called_off'],
      deadline: 'sweep',
    }),
  },
})
