import { Schema, type Types } from 'mongoose'
import { defineModel } from '../../platform/database/model.js'
import type { LedgerRecord } from './user.model.js'

/** Ledger entries that no longer stand in the user's document. `_id` is `<userId>:<number>`, so archiving twice is once. */
export interface LedgerDocument extends LedgerRecord {
  _id: string
  userId: Types.ObjectId
  /** Counts from 1 for each user, without gaps. */
  number: number
  balanceAfter: number
}

const schema = new Schema<LedgerDocument>(
  {
    _id: { type: String, required: true },
    userId: { type: Schema.Types.ObjectId, required: true },
    number: { type: Number, required: true },
    at: { type: Date, required: true },
    cause: { type: String, required: true },
    causeId: { type: Schema.Types.ObjectId, required: true },
    change: { type: Schema.Types.BigInt, required: true },
    balanceAfter: { type: Schema.Types.BigInt, required: true },
  } as never,
  { versionKey: false },
)

export const Ledger = defineModel<LedgerDocument>('users', 'ledger', schema)
