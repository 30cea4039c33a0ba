import type { Types } from 'mongoose'
import { field, maybe } from '../../platform/database/fields.js'
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

const fields = {
  userId: field.id,
  amount: field.money,
  state: field.text,
  reason: maybe(field.text),
  failures: maybe(field.count),
  parked: maybe(field.flag),
  request: field.request,
  requestId: field.text,
  createdAt: field.date,
  lastModified: field.date,
}

export const Deposit = defineModel<TransferDocument>('users', 'deposits', fields)
export const Withdrawal = defineModel<TransferDocument>('users', 'withdrawals', fields)
