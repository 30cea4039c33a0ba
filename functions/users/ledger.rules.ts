import type { Types } from 'mongoose'
import type { LedgerDocument } from './ledger.model.js'
import type { UserDocument } from './user.model.js'

/** What a user's document holds of the ledger. Read together, it is one state of it. */
export type LedgerHead = Pick<UserDocument, '_id' | 'recentLedger' | 'archivedLedger'>
export const LEDGER_HEAD_FIELDS = { recentLedger: 1, archivedLedger: 1 } as const

export const ledgerId = (userId: Types.ObjectId, number: number): string => `${userId.toHexString()}:${number}`

/** The recent entries as the archive keeps them, oldest first: numbered on from it, each with the balance after it. */
export function recentEntries({ _id, recentLedger, archivedLedger }: LedgerHead): LedgerDocument[] {
  let { count, balance } = archivedLedger
  return recentLedger.map(({ at, cause, causeId, change }) => {
    count += 1
    balance += change
    return { _id: ledgerId(_id, count), userId: _id, number: count, at, cause, causeId, change, balanceAfter: balance }
  })
}
