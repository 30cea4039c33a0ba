import type { Types } from 'mongoose'
import { DUPLICATE_KEY, refusedWrites } from '../../platform/database/bulkErrors.js'
import { long } from '../../platform/database/long.js'
import { failpoint } from '../../platform/lib/failpoints.js'
import type { System } from '../../platform/runtime/system.js'
import { LEDGER_HEAD_FIELDS, recentEntries } from './ledger.rules.js'
import { Ledger } from './ledger.model.js'
import { User } from './user.model.js'

/** A document is written as a whole at each change: so many entries it may carry, and so many stay when it is relieved. */
export const RECENT_LIMIT = 64
const RECENT_KEPT = 32

/**
 * Moves the oldest entries of an overlong ledger to the collection `ledger`; answers how many.
 *
 * First the copies, majority, then one update that drops exactly those entries and raises the count, guarded on the
 * count that they were numbered from. Entries are only ever added at the end, and removed with a higher count: so for
 * one count an entry's number is always the same, and a copy that is there already, from a crash or from somebody
 * beside, is the same copy. Copies above the count are not part of the ledger yet; readers ignore them.
 */
export async function archiveLedger(system: Pick<System, 'model'>, userId: Types.ObjectId): Promise<number> {
  const users = system.model(User)
  const user = await users.findById(userId, LEDGER_HEAD_FIELDS).lean()
  if (!user || user.recentLedger.length <= RECENT_LIMIT) return 0

  const moved = recentEntries(user).slice(0, -RECENT_KEPT)
  const last = moved.at(-1)
  if (!last) return 0
  await failpoint('archiveLedger.copy.before')
  await insertMissing(
    system,
    moved.map((entry) => ({ ...entry, change: long(entry.change), balanceAfter: long(entry.balanceAfter) })),
  )
  await failpoint('archiveLedger.copy.after')

  await failpoint('archiveLedger.drop.before')
  const { matchedCount } = await users.collection.updateOne(
    { _id: userId, 'archivedLedger.count': user.archivedLedger.count },
    [
      {
        $set: {
          archivedLedger: { count: last.number, balance: long(last.balanceAfter) },
          recentLedger: { $slice: ['$recentLedger', moved.length, { $size: '$recentLedger' }] },
        },
      },
    ],
  )
  await failpoint('archiveLedger.drop.after')
  return matchedCount === 1 ? moved.length : 0
}

async function insertMissing(system: Pick<System, 'model'>, entries: object[]): Promise<void> {
  try {
    await system.model(Ledger).collection.insertMany(entries, { ordered: false })
  } catch (error) {
    if (!refusedWrites(error)?.every(({ code }) => code === DUPLICATE_KEY)) throw error
  }
}
