import type { Types } from 'mongoose'
import { field, listOf, maybe, recordOf } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'
import type { RequestMark } from '../../platform/runtime/requests.js'
import type { OrderState } from './order.states.js'

export type CancelReason = 'expired' | 'cancelled_by_user' | 'cancelled_by_admin' | 'refunded'

export interface OrderDocument {
  _id: Types.ObjectId
  /** The buyer. */
  userId: Types.ObjectId
  ticketId: Types.ObjectId
  sellerId: Types.ObjectId
  /** The ticket's, when it was ordered. Minor units, 64-bit integer. */
  price: number
  state: OrderState
  /** Why it was cancelled. */
  reason?: CancelReason
  expiresAt: Date
  /** Counts the holds of the ticket from 1: this order's, the latest if it has held it twice. */
  hold: number
  /** Of its buyer's slots for open orders: no two open ones have the same. */
  slot: number
  /** The charge that completed it. */
  chargeId?: Types.ObjectId
  /** Charges that it turned away: decided once, whatever happens to it later. */
  refusedCharges: { chargeId: Types.ObjectId; reason: string }[]
  /** Raised by 1 with each event. */
  version: number
  request: RequestMark
  createdAt: Date
  updatedAt: Date
}

export const Order = defineModel<OrderDocument>('orders', 'orders', {
  userId: field.id,
  ticketId: field.id,
  sellerId: field.id,
  price: field.money,
  state: field.text,
  reason: maybe(field.text),
  expiresAt: field.date,
  hold: field.count,
  slot: field.count,
  chargeId: maybe(field.id),
  refusedCharges: listOf(recordOf<OrderDocument['refusedCharges'][number]>({ chargeId: field.id, reason: field.text })),
  version: field.count,
  request: field.request,
  createdAt: field.date,
  updatedAt: field.date,
})
