import type { Types } from 'mongoose'
import { Refusal } from '../../../../platform/contract/errors.js'
import { invalidInput } from '../../../../platform/runtime/invocation.js'
import type { System } from '../../../../platform/runtime/system.js'
import { violation, type Violation } from '../../../../protocol/audit.js'
import type { ParticipantRules } from '../../../../protocol/participant.js'
import type { BookingDocument } from '../../booking.model.js'
import { auditThings, notForgotten, THING_PLACES, thingParticipant, thingTerms, tidyThings } from '../../thing.kinds.js'
import type { AuditedRecord, Kind } from '../kind.js'
import { Room, type RoomDocument, type RoomRecord } from './room.model.js'
import { countNights, mostTaken, mostTakenExpression, nightsBetween, type Nights } from './room.rules.js'

export type RoomBooking = BookingDocument & { roomId: Types.ObjectId; nights: Nights }

/** One of the units of a room, for the nights between two days of its time zone. */
export default {
  async draft(ctx, { roomId, ...period }) {
    const room = await ctx.use(roomTerms)(roomId)
    if (!room) throw new Refusal('room_not_found', `There is no room ${roomId}.`)
    if (room.retired) throw new Refusal('room_retired', 'The room takes no new bookings.')
    const [from, to] = [new Date(period.from), new Date(period.to)]
    const nights = nightsBetween(from, to, room.timeZone)
    if (!nights) throw invalidInput({ issues: [{ path: ['to'], message: 'must be a day of the years 0 to 9999' }] })
    return { roomId: room._id, nights, from, to, cost: countNights(nights) * room.pricePerNight }
  },
  costsBy: 'to',
  participant: (system) => thingParticipant(system, Room, roomRules(system)),
  refusalText: 'No unit of the room is free on each of these nights, or it is retired.',
  fields: ['roomId', 'nights'],
  present: ({ roomId }) => ({ roomId: roomId.toHexString() }),
  audit: {
    ...auditThings(Room, overbookingOf, { units: 1 }),
    differs: ({ nights }, { from, to }) =>
      from === nights.from && to === nights.to ? undefined : 'holds other nights',
  },
  tidy: (ctx) => tidyThings(ctx, Room, { idField: 'roomId', isOver: isOverEverywhere }),
} satisfies Kind<RoomBooking, { roomId: string; from: string; to: string }, AuditedRecord & Nights>

export const roomTerms = thingTerms(Room, ['pricePerNight', 'retired', 'timeZone'])

const DAY_MS = 24 * 3_600_000

/** Left before the day of the mark, in whatever zone: what begins after the mark begins on that day at the earliest. */
const isOverEverywhere = ({ to }: RoomRecord, mark: Date): boolean =>
  to <= new Date(mark.getTime() - DAY_MS).toISOString().slice(0, 10)

/**
 * What a booking does to a room, and what it takes. The guard counts, in the write itself, what is active on each night:
 * so however many writes meet, none passes the units. An expression is never joined with another one's
 * (protocol/statements.ts): each write is a statement of its own, and sees what the one before it left.
 */
export function roomRules({ now }: Pick<System, 'now'>): ParticipantRules<RoomBooking> {
  const touch = () => ({ $set: { updatedAt: now() } })

  return {
    name: 'Room',
    documentId: (booking) => booking.roomId,
    places: THING_PLACES,
    record: ({ _id, nights }) => ({ _id, ...nights }),
    can: (booking) => ({
      retired: false,
      ...notForgotten(booking),
      $expr: { $lt: [mostTakenExpression(booking.nights), '$units'] },
    }),
    take: touch,
    giveBack: touch,
    reverse: touch,
  }
}

/** On no night more bookings are active than there are units. */
export function overbookingOf({ _id, bookings, units }: Pick<RoomDocument, '_id' | 'bookings' | 'units'>): Violation[] {
  const taken = mostTaken(bookings)
  return taken > units ? [violation('units', String(_id), `${taken} booked on a night, of ${units}`)] : []
}
