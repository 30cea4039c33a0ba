import { Schema, type Types } from 'mongoose'
import { defineModel } from '../../platform/database/model.js'

/** The orders' own copy of a ticket, under its id, as its events tell of it (platform/events/copies.ts). */
export interface TicketCopyDocument {
  _id: Types.ObjectId
  userId: Types.ObjectId
  title: string
  /** Minor units, 64-bit integer. */
  price: number
  orderId: Types.ObjectId | null
  version: number
}

const schema = new Schema<TicketCopyDocument>(
  {
    userId: { type: Schema.Types.ObjectId, required: true },
    title: { type: String, required: true },
    price: { type: Schema.Types.BigInt, required: true },
    orderId: { type: Schema.Types.ObjectId, default: null },
    version: { type: Number, required: true },
  } as never,
  { versionKey: false },
)

export const TicketCopy = defineModel<TicketCopyDocument>('orders', 'ticketCopies', schema)
