import { Schema, type Types } from 'mongoose'
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

const schema = new Schema<OrderCopyDocument>(
  {
    userId: { type: Schema.Types.ObjectId, required: true },
    sellerId: { type: Schema.Types.ObjectId, required: true },
    ticketId: { type: Schema.Types.ObjectId, required: true },
    price: { type: Schema.Types.BigInt, required: true },
    state: { type: String, required: true },
    reason: { type: String, default: null },
    chargeId: { type: Schema.Types.ObjectId, default: null },
    version: { type: Number, required: true },
  } as never,
  { versionKey: false },
)

export const OrderCopy = defineModel<OrderCopyDocument>('payments', 'orderCopies', schema)
