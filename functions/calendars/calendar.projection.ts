import mongoose from 'mongoose'
import { long } from '../../platform/database/long.js'
import { createProjection, type Projection, type ProjectionSpec } from '../../platform/logs/projection.js'
import type { System } from '../../platform/runtime/system.js'
import { Calendar, type CalendarDocument, type CalendarItem, type CalendarSide } from './calendar.model.js'
import { monthsOf } from './period.rules.js'
import { bookingLog, type BookingLogEntry } from './bookingLog.model.js'
import { isListed } from './invitation.states.js'

const { ObjectId } = mongoose.Types

const SIDES: readonly CalendarSide[] = ['seller', 'buyer']

/** How the booking log becomes calendars. */
export const calendarSpec: ProjectionSpec<BookingLogEntry, CalendarDocument> = {
  view: Calendar,
  log: (system) => system.use(bookingLog),
  touches: (entry) =>
    SIDES.flatMap((side) => monthsTouched(entry).map((month) => keyOf(owner(entry, side), side, month))),
  apply(views, entry) {
    const { invitation, previous } = entry
    const item = itemOf(entry)
    const listedIn = isListed(invitation.state) ? monthsOf(invitation) : []
    for (const side of SIDES) {
      const userId = owner(entry, side)
      for (const month of monthsTouched({ invitation, ...(previous && { previous }) })) {
        const key = keyOf(userId, side, month)
        const others = (views.get(key)?.items ?? []).filter(
          ({ invitationId }) => !invitationId.equals(item.invitationId),
        )
        const items = listedIn.includes(month) ? [...others, item].sort(byStart) : others
        views.set(key, { userId, as: side, month, items })
      }
    }
  },
  encode: (view) => ({
    ...view,
    items: view.items.map(({ price, ...item }) => ({ ...item, ...(price !== undefined && { price: long(price) }) })),
  }),
}

export const calendarProjection = (system: System): Projection<BookingLogEntry, CalendarDocument> =>
  createProjection(system, calendarSpec)

export const keyOf = (userId: { toHexString(): string }, side: CalendarSide, month: string): string =>
  `${userId.toHexString()}:${side}:${month}`

const owner = ({ invitation }: Pick<BookingLogEntry, 'invitation'>, side: CalendarSide) =>
  side === 'seller' ? invitation.sellerId : invitation.buyerId

const monthsTouched = ({ invitation, previous }: Pick<BookingLogEntry, 'invitation' | 'previous'>): string[] => [
  ...new Set([...monthsOf(invitation), ...(previous ? monthsOf(previous) : [])]),
]

function itemOf({ stream, number, invitation }: BookingLogEntry): CalendarItem {
  const { buyerId, sellerId, from, to, note, price, state, reason, proposal, cancelledBy } = invitation
  return {
    invitationId: new ObjectId(stream),
    ...{ buyerId, sellerId, from, to, note, state },
    ...(price !== undefined && { price }),
    ...(reason !== undefined && { reason }),
    ...(proposal && { proposal }),
    ...(cancelledBy && { cancelledBy }),
    version: number,
  }
}

const byStart = (a: CalendarItem, b: CalendarItem): number =>
  a.from.getTime() - b.from.getTime() || (a.invitationId.toHexString() < b.invitationId.toHexString() ? -1 : 1)
