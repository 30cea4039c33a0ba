import type { z } from 'zod'
import type { BookingLogEntry } from './bookingLog.model.js'
import type { CalendarItem } from './calendar.model.js'
import type { calendarItem, invitation } from './contract.js'

/** Entries and items as clients see them. */

export const presentItem = (item: CalendarItem): z.output<typeof calendarItem> => ({
  id: item.invitationId.toHexString(),
  buyerId: item.buyerId.toHexString(),
  sellerId: item.sellerId.toHexString(),
  from: item.from.toISOString(),
  to: item.to.toISOString(),
  note: item.note,
  ...(item.price !== undefined && { price: item.price }),
  state: item.state,
  ...(item.reason !== undefined && { reason: item.reason }),
  version: item.version,
})

/** The invitation as this entry left it. */
export const presentInvitation = ({
  _id,
  stream,
  number,
  at,
  invitation: i,
}: BookingLogEntry): z.output<typeof invitation> => ({
  id: stream,
  buyerId: i.buyerId.toHexString(),
  sellerId: i.sellerId.toHexString(),
  from: i.from.toISOString(),
  to: i.to.toISOString(),
  note: i.note,
  ...(i.price !== undefined && { price: i.price }),
  state: i.state,
  ...(i.reason !== undefined && { reason: i.reason }),
  version: number,
  updatedAt: at.toISOString(),
  seq: _id,
})
