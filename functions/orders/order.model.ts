import { Schema, type Types } from 'mongoose'
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

const schema = new Schema<OrderDocument>(
  {
    userId: { type: Schema.Types.ObjectId, required: true },
    ticketId: { type: Schema.Types.ObjectId, required: true },
    sellerId: { type: Schema.Types.ObjectId, required: true },
    price: { type: Schema.Types.BigInt, required: true },
    state: { type: String, required: true },
    reason: String,
    expiresAt: { type: Date, required: true },
    hold: { type: Number, required: true },
    chargeId: Schema.Types.ObjectId,
    refusedCharges: { type: [{ _id: false, chargeId: Schema.Types.ObjectId, reason: String }], default: [] },
    version: { type: Number, default: 0 },
    request: { by: String, hash: String },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  } as never,
  { versionKey: false },
)

export const Order = defineModel<OrderDocument>('orders', 'orders', schema)
