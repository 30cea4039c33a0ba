import type { Types } from 'mongoose'
import type { TransferDocument } from './transfer.model.js'
import type { LedgerCause, UserDocument } from './user.model.js'

/** The rules that auditUsers checks, as plain functions of what books.audit.ts read. */

/** All that a user's ledger says of one cause: entries and their sum, recent and archived. */
export interface CauseTotal {
  cause: LedgerCause
  causeId: Types.ObjectId
  entries: number
  change: number
}

export interface UserToAudit extends Pick<
  UserDocument,
  | '_id'
  | 'balance'
  | 'bookings'
  | 'pendingBookings'
  | 'tombstones'
  | 'payments'
  | 'pendingPayments'
  | 'paymentTombstones'
  | 'forgottenBefore'
  | 'archivedLedger'
> {
  /** Sums of the collection `ledger`, up to the number that the user's document says. */
  archive: { entries: number; change: number; highest: number }
  recentChange: number
  totals: CauseTotal[]
  /** Transfers that were COMMITTED before the user was read, and those that its ledger names, as read afterwards. */
  committed: TransferRecord[]
  named: TransferRecord[]
}

export type TransferRecord = Pick<TransferDocument, '_id' | 'userId' | 'amount' | 'state'> & {
  kind: 'deposit' | 'withdrawal'
}

export interface Finding {
  /** Rule and what it concerns; the same in two looks at the same defect. */
  key: string
  detail: string
}

const BOOKING_CAUSES: readonly LedgerCause[] = ['booking', 'booking_undone', 'reversal']
const PAYMENT_CAUSES: readonly LedgerCause[] = ['payment', 'payment_undone', 'refund', 'receipt']

/** What the ledger says of bookings, by their ids; those that do not cancel out. */
export const bookingChanges = (user: UserToAudit): Record<string, number> => netChanges(user, BOOKING_CAUSES)

/** The same of payments. */
export const paymentChanges = (user: UserToAudit): Record<string, number> => netChanges(user, PAYMENT_CAUSES)

function netChanges({ totals }: UserToAudit, causes: readonly LedgerCause[]): Record<string, number> {
  const net = new Map<string, number>()
  for (const { cause, causeId, change } of totals) {
    if (!causes.includes(cause)) continue
    const id = causeId.toHexString()
    net.set(id, (net.get(id) ?? 0) + change)
  }
  return Object.fromEntries([...net].filter(([, change]) => change !== 0))
}

export function findingsOf(user: UserToAudit): Finding[] {
  return [...checkBalance(user), ...checkArchive(user), ...checkEntries(user), ...checkRecords(user)]
}

function checkBalance({ balance, archivedLedger, recentChange }: UserToAudit): Finding[] {
  const findings: Finding[] = []
  if (balance < 0) findings.push({ key: 'negative', detail: `the balance is ${balance}` })
  const sum = archivedLedger.balance + recentChange
  if (balance !== sum) findings.push({ key: 'sum', detail: `the balance is ${balance}, the ledger adds up to ${sum}` })
  return findings
}

/** Numbers are unique (they are part of the `_id`), so as many as the highest are without gaps. */
function checkArchive({ archivedLedger, archive }: UserToAudit): Finding[] {
  const findings: Finding[] = []
  const { count, balance } = archivedLedger
  if (archive.entries !== count || archive.highest !== count) {
    const detail = `${count} ledger entries were archived, ${archive.entries} are there, up to number ${archive.highest}`
    findings.push({ key: 'gaps', detail })
  }
  if (archive.change !== balance) {
    findings.push({ key: 'archive', detail: `the archived ledger adds up to ${archive.change}, not to ${balance}` })
  }
  return findings
}

/** Every entry of a transfer has its record, which is not CANCELLED, and says the same. */
function checkEntries({ _id, totals, named }: UserToAudit): Finding[] {
  const records = new Map(named.map((record) => [keyOf(record.kind, record._id), record]))
  return totals.flatMap(({ cause, causeId, entries, change }): Finding[] => {
    if (!isTransfer(cause)) return []
    const key = keyOf(cause, causeId)
    const record = records.get(key)
    if (!record?.userId.equals(_id))
      return [{ key, detail: `the ledger names ${key}, which is not a record of theirs` }]
    const expected = cause === 'deposit' ? record.amount : -record.amount
    if (record.state !== 'CANCELLED' && entries === 1 && change === expected) return []
    return [
      { key, detail: `${key} of ${record.amount} is ${record.state}, its ${entries} entries add up to ${change}` },
    ]
  })
}

/** Every COMMITTED transfer has an entry; how many, and of how much, is checked from the entries. */
function checkRecords({ totals, committed }: UserToAudit): Finding[] {
  const entered = new Set(totals.map(({ cause, causeId }) => keyOf(cause, causeId)))
  return committed
    .map(({ kind, _id }) => keyOf(kind, _id))
    .filter((key) => !entered.has(key))
    .map((key) => ({ key, detail: `${key} is COMMITTED, but the ledger has no entry` }))
}

const isTransfer = (cause: LedgerCause): cause is TransferRecord['kind'] =>
  cause === 'deposit' || cause === 'withdrawal'

const keyOf = (cause: LedgerCause, id: Types.ObjectId): string => `${cause} ${id.toHexString()}`
