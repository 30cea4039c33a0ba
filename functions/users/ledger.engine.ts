import type { Types } from 'mongoose'
import type { System } from '../../platform/runtime/system.js'
import { archiveLedger, RECENT_LIMIT } from './ledger.changes.js'

const MAX_USERS = 10_000

/**
 * Relieves the ledgers of busy users between two runs of the tidy job: counts the entries that this process adds, and
 * archives when a user's could be too many. The counts are hints; losing them costs nothing but time.
 */
export function ledgerPressure(system: System): { added(userId: Types.ObjectId): void } {
  const counts = new Map<string, number>()
  return {
    added(userId) {
      const key = userId.toHexString()
      const count = (counts.get(key) ?? 0) + 1
      counts.delete(key)
      if (count < RECENT_LIMIT) {
        // Oldest first out: a map keeps the order of insertion.
        if (counts.size >= MAX_USERS) counts.delete(counts.keys().next().value as string)
        counts.set(key, count)
        return
      }
      archiveLedger(system, userId).catch((error: unknown) => {
        system.log.warn({ err: error, userId: key }, 'ledger not archived, the tidy job will')
      })
    },
  }
}
