import type { Types } from 'mongoose'
import { field, orNull } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'

/** The payments' own copy of an order, under its id, as its events tell of it (platform/events/copies.ts). */
export interface OrderCopyDocument {
  _id: Types.ObjectId
  userId: Types.ObjectId
  sellerId: Types.ObjectId
  ticketId: Types.ObjectId
  /** Minor units, 64-bit integer. */
  price: number
  state: string
  reason: string | null
  chargeId: Types.ObjectId | null
  version: number
}

export const OrderCopy = defineModel<OrderCopyDocument>('payments', 'orderCopies', {
  userId: field.id,
  sellerId: field.id,
  ticketId: field.id,
  price: field.money,
  state: field.text,
  reason: orNull(field.text),
  chargeId: orNull(field.id),
  version: field.count,
})
