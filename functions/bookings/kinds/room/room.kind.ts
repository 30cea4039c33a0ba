import type { Types } from 'mongoose'
import { invalidInput } from '../../../../platform/runtime/invocation.js'
import type { System } from '../../../../platform/runtime/system.js'
import { violation, type Violation } from '../../../../protocol/audit.js'
import type { ParticipantRules } from '../../../../protocol/participant.js'
import type { BookingDocument } from '../../booking.model.js'
import {
  auditThings,
  notForgotten,
  thingHolders,
  thingKind,
  thingParticipant,
  thingRules,
  tidyThings,
} from '../../thing.kinds.js'
import { works } from '../kind.js'
import { Room, type RoomDocument, type RoomRecord } from './room.model.js'
import { countNights, mostTaken, mostTakenExpression, nightsBetween, type Nights } from './room.rules.js'

export type RoomBooking = BookingDocument & { roomId: Types.ObjectId; nights: Nights }

/** One of the units of a room, for the nights between two days of its time zone. */
works('room', {
  ...thingKind<RoomBooking, RoomDocument, 'pricePerNight' | 'timeZone'>('room', {
    model: Room,
    reads: ['pricePerNight', 'timeZone'],
    draft({ pricePerNight, timeZone }, { from, to }) {
      const nights = nightsBetween(from, to, timeZone)
      if (!nights) throw invalidInput({ issues: [{ path: ['to'], message: 'must be a day of the years 0 to 9999' }] })
      return { nights, from, to, cost: countNights(nights) * pricePerNight }
    },
    fields: ['nights'],
  }),
  participant: (system) => thingParticipant(system, Room, roomRules(system)),
  holders: thingHolders('room', Room, ({ nights: { from, to } }: RoomBooking) => ({
    'nights.from': { $lt: to },
    'nights.to': { $gt: from },
  })),
  refusalText: 'No unit of the room is free on each of these nights, or it is retired.',
  audit: {
    ...auditThings(Room, overbookingOf, { units: 1 }),
    differs: ({ nights }, { from, to }) =>
      from === nights.from && to === nights.to ? undefined : 'holds other nights',
  },
  tidy: (ctx) => tidyThings(ctx, Room, { idField: 'roomId', isOver: isOverEverywhere }),
})

const DAY_MS = 24 * 3_600_000

/** Left before the day of the mark, in whatever zone: what begins after the mark begins on that day at the earliest. */
const isOverEverywhere = ({ to }: RoomRecord, mark: Date): boolean =>
  to <= new Date(mark.getTime() - DAY_MS).toISOString().slice(0, 10)

/**
 * What a booking does to a room, and what it takes. The guard counts, in the write itself, what is active on each night:
 * so however many writes meet, none passes the units. An expression is never joined with another one's
 * (protocol/statements.ts): each write is a statement of its own, and sees what the one before it left.
 */
export const roomRules = (system: Pick<System, 'now'>): ParticipantRules<RoomBooking> => ({
  ...thingRules<RoomBooking>('room', system),
  record: ({ _id, nights }) => ({ _id, ...nights }),
  can: (booking) => ({
    retired: false,
    ...notForgotten(booking),
    $expr: { $lt: [mostTakenExpression(booking.nights), '$units'] },
  }),
})

/** On no night more bookings are active than there are units. */
export function overbookingOf({ _id, bookings, units }: Pick<RoomDocument, '_id' | 'bookings' | 'units'>): Violation[] {
  const taken = mostTaken(bookings)
  return taken > units ? [violation('units', String(_id), `${taken} booked on a night, of ${units}`)] : []
}
