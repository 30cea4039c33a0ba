import { z } from 'zod'
import { operation } from '../../../../platform/contract/contract.js'
import { id, name, time, version } from '../../../../platform/contract/types.js'
import { defineKind } from '../kind.rules.js'

/** As many as seats are wanted. */
const passengers = z.array(z.strictObject({ name })).min(1).max(100)

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
  refuses: ['lobby_not_found', 'train_not_found'],
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
  },
})
