import type { BookingDocument } from './booking.model.js'
import { workingHalfOf, type Kind } from './kinds/kind.js'
import type { KindContract } from './kinds/kind.rules.js'
import { KINDS } from './kinds/list.js'

/** A kind with both its halves. */
export type BookableKind = KindContract & Kind & { /** Names the thing in a booking. */ idField: string }

let known: ReadonlyMap<string, BookableKind> | undefined

/** All kinds of the list, by name. */
export const bookableKinds = (): ReadonlyMap<string, BookableKind> =>
  (known ??= new Map(
    KINDS.map((contract) => {
      const { name } = contract
      return [name, { ...contract, ...workingHalfOf(name), idField: `${name}Id` }]
    }),
  ))

/** What a booking is of: the validator lets none in that names no thing, or two. */
export function kindOf(booking: object): BookableKind {
  for (const kind of bookableKinds().values()) if (kind.idField in booking) return kind
  throw new Error(`booking ${String((booking as BookingDocument)._id)} is of no kind`)
}

/** The id of the thing that is booked. */
export const thingOf = (booking: object): string =>
  String((booking as Record<string, unknown>)[kindOf(booking).idField])

/** The fields of a booking that its kind adds, where it has them. */
export const ownFieldsOf = (booking: object, fields: readonly string[] = kindOf(booking).fields): object =>
  Object.fromEntries(Object.entries(booking).filter(([field, value]) => fields.includes(field) && value !== undefined))
