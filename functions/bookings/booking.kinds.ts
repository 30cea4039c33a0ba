import type { BookingDocument } from './booking.model.js'
import type { Kind } from './kinds/kind.js'
import type { KindContract } from './kinds/kind.rules.js'
import { KINDS } from './kinds/list.js'

/** A kind with both its halves. */
export type BookableKind = KindContract & Kind & { /** Names the thing in a booking. */ idField: string }

/**
 * All kinds of the list, by name. The half that works is found by its name, so that the list, which clients know, need not
 * know it. A kind's files therefore import nothing that stands on this one.
 */
export const bookableKinds: ReadonlyMap<string, BookableKind> = new Map(
  await Promise.all(
    KINDS.map(async (contract): Promise<[string, BookableKind]> => {
      const { name } = contract
      const { default: kind } = (await import(`./kinds/${name}/${name}.kind.js`)) as { default: Kind }
      return [name, { ...contract, ...kind, idField: `${name}Id` }]
    }),
  ),
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
