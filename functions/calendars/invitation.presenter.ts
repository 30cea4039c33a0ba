import type { z } from 'zod'
import type { BookingLogEntry, Invitation } from './bookingLog.model.js'
import type { CalendarItem } from './calendar.model.js'
import type { calendarItem, invitation } from './contract.js'

/** Entries and items as clients see them. */

export const presentItem = ({ invitationId, version, ...item }: CalendarItem): z.output<typeof calendarItem> => ({
  id: invitationId.toHexString(),
  ...presentFields(item),
  version,
})

/** The invitation as this entry left it. */
export const presentInvitation = ({
  _id,
  stream,
  number,
  at,
  invitation: stated,
}: BookingLogEntry): z.output<typeof invitation> => ({
  id: stream,
  ...presentFields(stated),
  version: number,
  updatedAt: at.toISOString(),
  seq: _id,
})

const presentFields = (i: Omit<CalendarItem, 'invitationId' | 'version'> | Invitation) => ({
  buyerId: i.buyerId.toHexString(),
  sellerId: i.sellerId.toHexString(),
  from: i.from.toISOString(),
  to: i.to.toISOString(),
  note: i.note,
  ...(i.price !== undefined && { price: i.price }),
  state: i.state,
  ...(i.reason !== undefined && { reason: i.reason }),
  ...(i.proposal && {
    proposal: { by: i.proposal.by, from: i.proposal.from.toISOString(), to: i.proposal.to.toISOString() },
  }),
  ...(i.cancelledBy && { cancelledBy: i.cancelledBy }),
})
