import { Schema, type Types } from 'mongoose'
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

const schema = new Schema<TicketDocument>(
  {
    userId: { type: Schema.Types.ObjectId, required: true },
    title: { type: String, required: true },
    price: { type: Schema.Types.BigInt, required: true },
    orderId: Schema.Types.ObjectId,
    hold: { type: Number, default: 0 },
    version: { type: Number, default: 0 },
    request: { by: String, hash: String },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  } as never,
  { versionKey: false },
)

export const Ticket = defineModel<TicketDocument>('tickets', 'tickets', schema)
