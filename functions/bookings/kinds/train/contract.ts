import { z } from 'zod'
import { operation, subscriber } from '../../../../platform/contract/contract.js'
import { defineNews } from '../../../../platform/contract/news.js'
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

/** A booking of seats that ended. */
const seatsNews = z.object({ bookingId: id, trainId: id, userId: id, seats: z.array(z.int()) })
const rejection = seatsNews.omit({ seats: true }).extend({ reason: z.string().optional() })
/** The buyer's own also says who sits where. */
const seated = { passengers: z.array(z.object({ name: z.string(), seat: z.int().optional() })) }
const trainMoved = z.object({ trainId: id, ...journey, previous: z.object(journey) })
const trainCalledOff = z.object({ trainId: id, ...journey, reason: z.string() })

export const trainSocketNews = defineNews({
  'booking:confirmed': {
    when: 'To the buyer and the lobbies of the train: seats are booked.',
    toUser: seatsNews.extend(seated),
    toLobby: seatsNews,
  },
  'booking:rejected': {
    when: 'To the buyer and the lobby it came from: a booking of seats came to nothing.',
    toUser: rejection.extend(seated),
    toLobby: rejection,
  },
  'booking:cancelled': {
    when: 'To the buyer and the lobbies of the train: a booking of seats was taken back, they are free.',
    toUser: seatsNews.extend(seated),
    toLobby: seatsNews,
  },
  'train:updated': {
    when: 'To everybody with seats, once a booking, and to its lobbies: the train goes at another time or on another route.',
    toUser: trainMoved.extend({ bookingId: id }),
    toLobby: trainMoved,
  },
  'train:calledoff': {
    when: 'To everybody with seats, once a booking, and to its lobbies: the train does not go.',
    toUser: trainCalledOff.extend({ bookingId: id }),
    toLobby: trainCalledOff,
  },
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
  news: trainSocketNews,
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
