import { Schema, type Types } from 'mongoose'
import { defineModel } from '../../platform/database/model.js'

/** A deposit or a withdrawal. The user's document decides what becomes of it; this record follows. */
export interface TransferDocument {
  _id: Types.ObjectId
  userId: Types.ObjectId
  /** Minor units, 64-bit integer. */
  amount: number
  state: 'PENDING' | 'COMMITTED' | 'CANCELLED'
  /** The code it was refused with. */
  reason?: 'insufficient_funds' | 'balance_limit_exceeded'
  /** How often recovery failed to drive it; absent: never. */
  failures?: number
  /** Recovery has given up; an admin drives it on (recoverTransfers). */
  parked?: boolean
  request: { by: string; hash: string }
  requestId: string
  createdAt: Date
  lastModified: Date
}

const schema = (): Schema<TransferDocument> =>
  new Schema<TransferDocument>(
    {
      userId: { type: Schema.Types.ObjectId, required: true },
      amount: { type: Schema.Types.BigInt, required: true },
      state: { type: String, required: true },
      reason: String,
      failures: Number,
      parked: Boolean,
      request: { by: String, hash: String },
      requestId: String,
      createdAt: { type: Date, required: true },
      lastModified: { type: Date, required: true },
    } as never,
    { versionKey: false },
  )

export const Deposit = defineModel<TransferDocument>('users', 'deposits', schema())
export const Withdrawal = defineModel<TransferDocument>('users', 'withdrawals', schema())
