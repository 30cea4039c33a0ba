import type { Types } from 'mongoose'
import { field, maybe } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'
import type { RequestMark } from '../../platform/runtime/requests.js'

export interface TicketDocument {
  _id: Types.ObjectId
  /** The seller. */
  userId: Types.ObjectId
  title: string
  /** Minor units, 64-bit integer. */
  price: number
  /** The lock: the order that holds or bought it. While it is set, nobody edits the ticket. */
  orderId?: Types.ObjectId
  /** Number of the newest hold that was seen: orders count the holds of each ticket from 1. */
  hold: number
  /** Raised by 1 with each event. */
  version: number
  request: RequestMark
  createdAt: Date
  updatedAt: Date
}

export const Ticket = defineModel<TicketDocument>('tickets', 'tickets', {
  userId: field.id,
  title: field.text,
  price: field.money,
  orderId: maybe(field.id),
  hold: field.count,
  version: field.count,
  request: field.request,
  createdAt: field.date,
  updatedAt: field.date,
})
