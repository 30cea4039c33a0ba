import type { Document } from '../documents.js'
import type { Ending } from '../executor.js'
import { documentsOf, type CollectionName, type Snapshot } from '../snapshot.js'
import type { About } from '../theatre.js'

/**
 * The books of a cancellation, by arithmetic of their own: the stream's entries, and the accounts of buyer and seller. Each
 * check answers a sentence on what is wrong.
 */

interface EntryRow {
  _id: Id
  number: number
  kind: string
  invitation: { buyerId: Id; sellerId: Id; price: number; state: string; refundId?: Id }
}
interface AccountRow {
  _id: Id
  opening: number
  balance: number
  ledger: { _id: Id; cause: string; change: number }[]
  refused: Id[]
}
type Id = Document['_id']

const rows = <T>(snapshot: Snapshot, collection: CollectionName): T[] =>
  documentsOf(snapshot, collection) as unknown as T[]

const entriesOf = (snapshot: Snapshot): EntryRow[] =>
  rows<EntryRow>(snapshot, 'bookingLog').toSorted((a, b) => a.number - b.number)

const sum = (amounts: number[]): number => amounts.reduce((total, each) => total + each, 0)

/** What may stand behind an entry of a kind, in the state that it leaves. */
const NEXT: Record<string, { state: string; next: string[] }> = {
  confirmed: { state: 'confirmed', next: ['cancellation_started'] },
  cancellation_started: { state: 'cancelling', next: ['cancellation_refused', 'cancelled'] },
  cancellation_refused: { state: 'confirmed', next: ['cancellation_started'] },
  cancelled: { state: 'cancelled', next: [] },
}

/** What must hold at every moment, whatever is under way. */
export function checkAlways(snapshot: Snapshot): string | undefined {
  const entries = entriesOf(snapshot)
  const refundIds = new Set<string>()
  for (const [i, { number, kind, invitation }] of entries.entries()) {
    if (number !== i + 1) return `entry ${i + 1} of the stream has number ${number}`
    if (NEXT[kind]?.state !== invitation.state) return `entry ${number}, ${kind}, leaves it ${invitation.state}`
    const before = entries[i - 1]
    if (before && !NEXT[before.kind]?.next.includes(kind)) return `${kind} stands behind ${before.kind}`
    if (kind !== 'cancellation_started') continue
    if (refundIds.has(String(invitation.refundId))) return `two attempts have the refund ${String(invitation.refundId)}`
    refundIds.add(String(invitation.refundId))
  }
  for (const { _id, opening, balance, ledger, refused } of rows<AccountRow>(snapshot, 'accounts')) {
    const due = opening + sum(ledger.map(({ change }) => change))
    if (balance < 0 || balance !== due) return `account ${String(_id)} has balance ${balance}, not ${due}`
    const ids = [...ledger.map((each) => each._id), ...refused].map(String)
    if (new Set(ids).size < ids.length) return `account ${String(_id)} knows a payment twice`
    const paid = ledger.filter(({ cause, change }) => cause === 'cancellation' && change < 0)
    if (paid.length > 1) return `the seller has paid ${paid.length} refunds`
    const received = ledger.filter(({ cause, change }) => cause === 'cancellation' && change > 0)
    if (received.length > 1) return `the buyer has received ${received.length} refunds`
  }
  return checkTogether(snapshot, entries)
}

/** Between the stream and the accounts, where both are there. */
function checkTogether(snapshot: Snapshot, entries: EntryRow[]): string | undefined {
  const first = entries[0]?.invitation
  const of = (id: Id | undefined) => rows<AccountRow>(snapshot, 'accounts').find(({ _id }) => id && _id.equals(id))
  const [buyer, seller] = [of(first?.buyerId), of(first?.sellerId)]
  if (!first || !buyer || !seller) return undefined
  const began = entries.filter(({ kind }) => kind === 'cancellation_started').map((each) => each.invitation.refundId)
  for (const { _id, cause, change } of [...seller.ledger, ...buyer.ledger]) {
    if (cause !== 'cancellation') continue
    if (!began.some((refundId) => refundId?.equals(_id))) return `refund ${String(_id)} stands in no entry`
    if (Math.abs(change) !== first.price) return `refund ${String(_id)} is of ${change}, not of the price`
  }
  for (const [i, { kind }] of entries.entries()) {
    const refundId = entries[i - 1]?.invitation.refundId
    const has = ({ ledger }: AccountRow) => ledger.some(({ _id }) => refundId && _id.equals(refundId))
    if (kind === 'cancelled' && !(has(seller) && has(buyer))) return 'it is cancelled, and the buyer has nothing back'
    if (kind === 'cancellation_refused' && !seller.refused.some((each) => refundId && each.equals(refundId)))
      return `refund ${String(refundId)} is told refused, and is not`
  }
  return undefined
}

/** Entries are only ever added. */
export const checkWrite = (collection: CollectionName, before: Document | null): string | undefined =>
  collection === 'bookingLog' && before ? `entry ${String(before._id)} was changed` : undefined

export const isOutstanding = (snapshot: Snapshot): boolean =>
  entriesOf(snapshot).at(-1)?.kind === 'cancellation_started'

/** When nobody is at work and recovery has run: cancelled and paid back, or as it was. */
export function checkSettled(snapshot: Snapshot): string | undefined {
  const newest = entriesOf(snapshot).at(-1)
  if (!newest) return 'the stream is gone'
  const { price, buyerId, sellerId } = newest.invitation
  if (newest.kind === 'cancellation_started') return 'the cancellation is still under way'
  const due = newest.kind === 'cancelled' ? price : 0
  for (const [who, id, expected] of [
    ['buyer', buyerId, due],
    ['seller', sellerId, -due],
  ] as const) {
    const its = rows<AccountRow>(snapshot, 'accounts').find(({ _id }) => _id.equals(id))
    const change = sum((its?.ledger ?? []).filter(({ cause }) => cause === 'cancellation').map((each) => each.change))
    if (change !== expected) return `it is ${newest.kind}, and the ${who}'s balance was changed by ${change}`
  }
  return undefined
}

export function checkEnding(ending: Ending, books: Snapshot, { reasons }: About): string | undefined {
  const entries = entriesOf(books)
  const newest = entries.at(-1)?.invitation
  if ('answered' in ending) {
    const { state } = (ending.answered ?? {}) as { state?: string }
    return state === undefined || state === newest?.state ? undefined : `told ${state}, but it is ${newest?.state}`
  }
  const { name, code } = ending.failed as Error & { code?: string }
  // It says nothing; whoever cancels asks again.
  if (name === 'MongoNetworkError') return undefined
  if (!code || !reasons.includes(code)) return `failed with ${ending.failed.stack ?? ending.failed.message}`
  return entries.some(({ kind }) => kind === 'cancellation_refused')
    ? undefined
    : `told ${code}, and nothing was refused`
}

export const outcome = (books: Snapshot): string =>
  entriesOf(books)
    .map(({ kind }) => kind)
    .join(', ')
