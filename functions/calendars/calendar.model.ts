import type { Types } from 'mongoose'
import { field, listOf } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'
import type { ViewDocument } from '../../platform/logs/projection.js'
import type { Invitation } from './bookingLog.model.js'
import type { InvitationState } from './invitation.states.js'

export type CalendarSide = 'seller' | 'buyer'

/**
 * One month (UTC) of a user's calendar, as seller or as buyer: `<generation>:<userId>:<side>:<YYYY-MM>`. Whatever
 * reaches into several months stands in each of them. Only the projection writes it.
 */
export interface CalendarDocument extends ViewDocument {
  userId: Types.ObjectId
  as: CalendarSide
  month: string
  /** By `from`, then by id. */
  items: CalendarItem[]
}

export interface CalendarItem {
  invitationId: Types.ObjectId
  buyerId: Types.ObjectId
  sellerId: Types.ObjectId
  from: Date
  to: Date
  note: string
  price?: number
  state: InvitationState
  reason?: string
  proposal?: NonNullable<Invitation['proposal']>
  cancelledBy?: NonNullable<Invitation['cancelledBy']>
  version: number
}

export const Calendar = defineModel<CalendarDocument>('calendars', 'calendars', {
  _id: field.text,
  generation: field.count,
  userId: field.id,
  as: field.text,
  month: field.text,
  items: listOf<CalendarItem>(field.any),
})
