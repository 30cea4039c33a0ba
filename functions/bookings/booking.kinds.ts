import type { BookingDocument } from './booking.model.js'
import car from './kinds/car/car.kind.js'
import type { Kind } from './kinds/kind.js'
import type { KindContract } from './kinds/kind.rules.js'
import { KINDS } from './kinds/list.js'
import room from './kinds/room/room.kind.js'
import train from './kinds/train/train.kind.js'

/** A kind with both its halves. */
export type BookableKind = KindContract & Kind & { /** Names the thing in a booking. */ idField: string }

/** The half of each kind that works. A kind's files import nothing that stands on this one. */
const WORKING: Record<(typeof KINDS)[number]['name'], Kind> = {
  // One a line.
  car,
  room,
  train,
}

/** All kinds of the list, by name. */
export const bookableKinds: ReadonlyMap<string, BookableKind> = new Map(
  KINDS.map((contract) => [contract.name, { ...contract, ...WORKING[contract.name], idField: `${contract.name}Id` }]),
)

const kinds = [...bookableKinds.values()]

/** What a booking is of: the validator lets none in that names no thing, or two. */
export function kindOf(booking: object): BookableKind {
  const kind = kinds.find(({ idField }) => idField in booking)
  if (!kind) throw new Error(`booking ${String((booking as BookingDocument)._id)} is of no kind`)
  return kind
}

/** The id of the thing that is booked. */
export const thingOf = (booking: object): string =>
  String((booking as Record<string, unknown>)[kindOf(booking).idField])

/** The fields of a booking that its kind adds, where it has them. */
export const ownFieldsOf = (booking: object, fields: readonly string[] = kindOf(booking).fields): object =>
  Object.fromEntries(Object.entries(booking).filter(([field, value]) => fields.includes(field) && value !== undefined))
