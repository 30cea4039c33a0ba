import { z } from 'zod'
import { operation } from '../../../../platform/contract/contract.js'
import { id, listOf, name, page, price, version } from '../../../../platform/contract/types.js'
import { isTimeZone } from '../../../../platform/lib/zone.rules.js'
import { bothOrNeither, defineThing, fromBeforeTo, maybePeriod, ORDER, PAIR, thingShape } from '../kind.rules.js'

declare module '../../../../platform/contract/errors.js' {
  interface BookableKinds {
    room: true
  }
}

/** Alike rooms of one kind: each active record of a night is looked at by every booking of it. */
const units = z.int().min(1).max(1000)

export const room = z.object({
  ...thingShape,
  name: z.string(),
  /** Minor units. */
  pricePerNight: price,
  units,
  timeZone: z.string(),
})

/** A room of a kind of which there are `units`, for whole nights of its time zone. */
export default defineThing('room', {
  createRoom: operation({
    summary: 'Puts rooms of a kind up for booking: so many units, by the night of a time zone.',
    access: 'admin',
    input: z.strictObject({
      roomId: id.optional(),
      name,
      pricePerNight: price,
      units,
      timeZone: z.string().max(64).refine(isTimeZone, 'must be a time zone of the IANA database').default('UTC'),
    }),
    output: room,
    errors: ['room_id_reused'],
    deadline: 'quick',
    idempotent: true,
    newId: 'roomId',
  }),
  updateRoom: operation({
    summary:
      'Changes name, price (of later bookings) or units, or retires the room: bookings stand, new ones are refused.',
    access: 'admin',
    input: z.strictObject({
      roomId: id,
      version,
      set: z
        .strictObject({
          name: name.optional(),
          pricePerNight: price.optional(),
          units: units.optional(),
          retired: z.boolean().optional(),
        })
        .refine((set) => Object.keys(set).length > 0, 'needs at least one field'),
    }),
    output: room,
    /** room_unavailable: more units than that are booked on a night. */
    errors: ['room_not_found', 'version_conflict', 'room_unavailable'],
    deadline: 'quick',
    idempotent: false,
    key: ({ roomId }) => roomId,
  }),
  listRooms: operation({
    summary:
      'Rooms, oldest first; with a period only those with a unit free on each of its nights, so a page may be short.',
    access: 'user',
    input: z
      .strictObject({ ...maybePeriod, ...page })
      .refine(bothOrNeither, PAIR)
      .refine(fromBeforeTo, ORDER),
    output: listOf(room),
    errors: ['invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  getRoom: operation({
    summary: 'One room; with a period also how many units are free on each of its nights.',
    access: 'user',
    input: z
      .strictObject({ roomId: id, ...maybePeriod })
      .refine(bothOrNeither, PAIR)
      .refine(fromBeforeTo, ORDER),
    output: room.extend({ free: z.int().min(0).optional() }),
    errors: ['room_not_found'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
})
