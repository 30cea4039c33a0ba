import type { Types } from 'mongoose'
import { field } from '../../platform/database/fields.js'
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

export const Ledger = defineModel<LedgerDocument>('users', 'ledger', {
  _id: field.text,
  userId: field.id,
  number: field.count,
  at: field.date,
  cause: field.text,
  causeId: field.id,
  change: field.money,
  balanceAfter: field.money,
})
