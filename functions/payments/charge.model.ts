import type { Types } from 'mongoose'
import { field, listOf, maybe, recordOf, type Fields } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'
import type { RequestMark } from '../../platform/runtime/requests.js'
import type { ChargeState, RefundState, SellerState } from './charge.states.js'

export type ChargeMethodName = 'balance' | 'stripe'

/** Who began a refund: the order that turned its charge away, an admin, somebody in Stripe's dashboard, a bank. */
export type RefundOrigin = 'order' | 'admin' | 'stripe' | 'dispute'

/** Money that goes back to the buyer, in the charge that it is of: one write registers it and takes its amount. */
export interface RefundDocument {
  _id: Types.ObjectId
  /** Minor units, 64-bit integer. 0: a bank only asks, and has taken nothing. */
  amount: number
  origin: RefundOrigin
  /** By which way it goes back. */
  via: ChargeMethodName
  state: RefundState
  seller: SellerState
  /** Why it was made; of a rejected one why not. */
  reason: string
  /** Payments of their own, once each: back from the seller, to the seller again, and to the buyer's balance. */
  debitId: Types.ObjectId
  creditId: Types.ObjectId
  payoutId: Types.ObjectId
  /** Counts the refunds that Stripe was asked for: each has an idempotency key of its own. */
  attempt: number
  /** Stripe's refund or dispute. */
  stripeId?: string
  /** As Stripe calls it now, and why it failed. */
  stripeStatus?: string
  /** Of an admin's: the request that made it. */
  request?: RequestMark
  createdAt: Date
  lastModified: Date
}

export interface ChargeDocument {
  _id: Types.ObjectId
  orderId: Types.ObjectId
  /** The buyer. */
  userId: Types.ObjectId
  sellerId: Types.ObjectId
  /** The order's price. Minor units, 64-bit integer. */
  amount: number
  method: ChargeMethodName
  state: ChargeState
  /** Why it failed, or is being given back. */
  reason?: string
  /** Payments of their own, once each: of the buyer (method balance), and to the seller. */
  paymentId: Types.ObjectId
  payoutId: Types.ObjectId

  /** What is not in any refund but rejected ones. Starts as what is asked for, then is what was received. */
  left: number
  /** Where Stripe received another amount than was asked for. */
  received?: number
  refunds: RefundDocument[]

  /** Method stripe: the one payment intent that may take the money, and what the buyer confirms it with. */
  intentId?: string
  clientSecret?: string
  /** What the buyer pays with; absent: the buyer says so to Stripe, with the client secret. */
  paymentMethodId?: string
  /** Why its intent is to be cancelled. */
  abandoned?: string

  /** When recovery looks next; absent: there is nothing to do, or only for others. */
  dueAt?: Date
  /** How often in a row recovery failed to drive it. */
  failures: number
  /** Recovery has given up; an admin drives it on (recoverCharges). */
  parked: boolean
  /** It waits for an admin: parked, or a refund of it failed, or its seller owes. */
  attention: boolean

  /** Stripe may know of refunds or disputes that are not in here. */
  unseen: boolean
  /** Raised by 1 with each event. */
  version: number
  /** Raised by 1 with each write of the charge's state and refunds: what each of them compares. */
  revision: number
  request: RequestMark
  createdAt: Date
  lastModified: Date
}

const refundFields: Fields<RefundDocument> = {
  _id: field.id,
  amount: field.money,
  origin: field.text,
  via: field.text,
  state: field.text,
  seller: field.text,
  reason: field.text,
  debitId: field.id,
  creditId: field.id,
  payoutId: field.id,
  attempt: field.count,
  stripeId: maybe(field.text),
  stripeStatus: maybe(field.text),
  request: maybe(field.request),
  createdAt: field.date,
  lastModified: field.date,
}

export const Charge = defineModel<ChargeDocument>('payments', 'charges', {
  orderId: field.id,
  userId: field.id,
  sellerId: field.id,
  amount: field.money,
  method: field.text,
  state: field.text,
  reason: maybe(field.text),
  paymentId: field.id,
  payoutId: field.id,
  left: field.money,
  received: maybe(field.money),
  refunds: listOf(recordOf(refundFields)),
  intentId: maybe(field.text),
  clientSecret: maybe(field.text),
  paymentMethodId: maybe(field.text),
  abandoned: maybe(field.text),
  dueAt: maybe(field.date),
  failures: field.count,
  parked: field.flag,
  attention: field.flag,
  unseen: field.flag,
  version: field.count,
  revision: field.count,
  request: field.request,
  createdAt: field.date,
  lastModified: field.date,
})
