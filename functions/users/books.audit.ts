import type { Types } from 'mongoose'
import type { Context } from '../../platform/runtime/function.js'
import { Ledger, type LedgerDocument } from './ledger.model.js'
import { TRANSFER_KINDS } from './transfer.kinds.js'
import type { UserToAudit, CauseTotal, TransferRecord } from './user.audit.js'
import { PLACE_FIELDS, User, type LedgerCause, type UserDocument } from './user.model.js'

/**
 * Everything that an audit of some users looks at, read on a live system in an order that raises no false alarm. All
 * reads are majority.
 *
 * 1. COMMITTED transfers: their effect was majority before they were COMMITTED, so a later read of the user has it.
 * 2. The users: balance and recent ledger are one state.
 * 3. The archive, up to the number that each user's document says: it was majority before the document said so, and
 *    never changes.
 * 4. The transfers that these ledgers name: a record is majority before its effect, so by now it is there.
 */
export async function readBooks(ctx: Context, userIds: readonly Types.ObjectId[]): Promise<UserToAudit[]> {
  const committed = await readRecords(ctx, () => ({ userId: { $in: userIds }, state: 'COMMITTED' }))
  const found = await ctx
    .model(User)
    .find({ _id: { $in: userIds } }, AUDITED_FIELDS)
    .lean()
  const archived = await readArchive(ctx, found)
  const books = found.map((user) => {
    const groups = archived.get(String(user._id)) ?? []
    const recent = user.recentLedger.map((entry) => ({ ...entry, entries: 1 }))
    return {
      ...user,
      archive: {
        entries: sum(groups, ({ entries }) => entries),
        change: sum(groups, ({ change }) => change),
        highest: groups.reduce((top, { highest }) => Math.max(top, highest), 0),
      },
      recentChange: sum(recent, ({ change }) => change),
      totals: totalsOf([...groups, ...recent]),
    }
  })
  const named = await readRecords(ctx, (kind) => ({ _id: { $in: books.flatMap(({ totals }) => idsOf(totals, kind)) } }))
  const known = new Map(named.map((record) => [`${record.kind} ${String(record._id)}`, record]))
  return books.map((user) => ({
    ...user,
    committed: committed.filter(({ userId }) => userId.equals(user._id)),
    named: user.totals.flatMap(({ cause, causeId }) => known.get(`${cause} ${String(causeId)}`) ?? []),
  }))
}

const AUDITED_FIELDS = {
  balance: 1,
  ...PLACE_FIELDS,
  forgottenBefore: 1,
  recentLedger: 1,
  archivedLedger: 1,
} as const

interface ArchivedTotal extends CauseTotal {
  highest: number
}

async function readArchive(
  ctx: Context,
  found: Pick<UserDocument, '_id' | 'archivedLedger'>[],
): Promise<Map<string, ArchivedTotal[]>> {
  type Group = Omit<ArchivedTotal, 'cause' | 'causeId'> & {
    _id: Pick<LedgerDocument, 'userId' | 'cause' | 'causeId'>
  }
  const byUser = new Map<string, ArchivedTotal[]>()
  const parts = found
    .filter(({ archivedLedger }) => archivedLedger.count > 0)
    .map(({ _id, archivedLedger }) => ({ userId: _id, number: { $lte: archivedLedger.count } }))
  if (parts.length === 0) return byUser
  const groups = ctx
    .model(Ledger)
    .aggregate<Group>([
      { $match: { $or: parts } },
      {
        $group: {
          _id: { userId: '$userId', cause: '$cause', causeId: '$causeId' },
          entries: { $sum: 1 },
          change: { $sum: '$change' },
          highest: { $max: '$number' },
        },
      },
    ])
    .cursor<Group>()
  for await (const { _id, entries, change, highest } of groups) {
    const key = String(_id.userId)
    const known = byUser.get(key) ?? []
    known.push({ cause: _id.cause, causeId: _id.causeId, entries, change, highest })
    byUser.set(key, known)
  }
  return byUser
}

function totalsOf(parts: CauseTotal[]): CauseTotal[] {
  const totals = new Map<string, CauseTotal>()
  for (const { cause, causeId, entries, change } of parts) {
    const key = `${cause} ${String(causeId)}`
    const known = totals.get(key)
    totals.set(key, {
      cause,
      causeId,
      entries: entries + (known?.entries ?? 0),
      change: change + (known?.change ?? 0),
    })
  }
  return [...totals.values()]
}

async function readRecords(
  ctx: Context,
  filterOf: (kind: TransferRecord['kind']) => Record<string, unknown>,
): Promise<TransferRecord[]> {
  const records: TransferRecord[] = []
  for (const { name, model } of TRANSFER_KINDS) {
    const found = await ctx.model(model).find(filterOf(name), { userId: 1, amount: 1, state: 1 }).lean()
    for (const record of found) records.push({ ...record, kind: name })
  }
  return records
}

const idsOf = (totals: CauseTotal[], cause: LedgerCause): Types.ObjectId[] =>
  totals.filter((total) => total.cause === cause).map(({ causeId }) => causeId)

/** By BigInt: a sum of safe integers is not always one on the way. */
const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  Number(items.reduce((total, item) => total + BigInt(of(item)), 0n))
