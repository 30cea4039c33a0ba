import { Schema, type Types } from 'mongoose'
import { defineModel } from '../../platform/database/model.js'
import type { RequestMark } from '../../platform/runtime/requests.js'
import type { ChargeState } from './charge.states.js'

export interface ChargeDocument {
  _id: Types.ObjectId
  orderId: Types.ObjectId
  /** The buyer. */
  userId: Types.ObjectId
  sellerId: Types.ObjectId
  /** The order's price. Minor units, 64-bit integer. */
  amount: number
  method: 'balance' | 'stripe'
  state: ChargeState
  /** Why it failed, or is being given back. */
  reason?: string
  /** Payments of their own, once each: of the buyer (method balance), to the seller, and back from the seller. */
  paymentId: Types.ObjectId
  payoutId: Types.ObjectId
  reclaimId?: Types.ObjectId

  /** Method stripe: the one payment intent that may take the money, and what the buyer confirms it with. */
  intentId?: string
  clientSecret?: string
  /** What the buyer pays with; absent: the buyer says so to Stripe, with the client secret. */
  paymentMethodId?: string
  /** Why its intent is to be cancelled. */
  abandoned?: string

  /** Raised by 1 with each event. */
  version: number
  request: RequestMark
  createdAt: Date
  lastModified: Date
}

const schema = new Schema<ChargeDocument>(
  {
    orderId: { type: Schema.Types.ObjectId, required: true },
    userId: { type: Schema.Types.ObjectId, required: true },
    sellerId: { type: Schema.Types.ObjectId, required: true },
    amount: { type: Schema.Types.BigInt, required: true },
    method: { type: String, required: true },
    state: { type: String, required: true },
    reason: String,
    paymentId: { type: Schema.Types.ObjectId, required: true },
    payoutId: { type: Schema.Types.ObjectId, required: true },
    reclaimId: Schema.Types.ObjectId,
    intentId: String,
    clientSecret: String,
    paymentMethodId: String,
    abandoned: String,
    version: { type: Number, default: 0 },
    request: { by: String, hash: String },
    createdAt: { type: Date, required: true },
    lastModified: { type: Date, required: true },
  } as never,
  { versionKey: false },
)

export const Charge = defineModel<ChargeDocument>('payments', 'charges', schema)
