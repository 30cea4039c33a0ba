import type mongoose from 'mongoose'
import { unlessTaken } from '../database/bulkErrors.js'

/**
 * Who works the events of a database. A lease ends by itself when its holder dies, and is judged by the database's clock
 * alone. It only spares work: two holders at once (one was frozen and wakes up) deliver events twice, which subscribers
 * bear anyway.
 */
export interface EventLease {
  /** Takes or renews it; false: somebody else has it. */
  hold(): Promise<boolean>
  /** Lets the next one have it at once. */
  release(): Promise<void>
}

/** A dead holder delays deliveries by so long at most, and by the next one's look. */
export const LEASE_MS = 5000
export const LEASE_RENEWAL_MS = 1500

const LEASES = 'eventLeases'
const ID = 'dispatcher'

interface LeaseDocument {
  _id: string
  holder: string
  until: Date
}

export function createEventLease(db: mongoose.mongo.Db, holder: string): EventLease {
  const leases = db.collection<LeaseDocument>(LEASES)
  const prolonged = [{ $set: { holder, until: { $add: ['$$NOW', LEASE_MS] } } }]
  return {
    async hold() {
      const mayTake = { _id: ID, $or: [{ holder }, { $expr: { $lt: ['$until', '$$NOW'] } }] }
      if ((await leases.updateOne(mayTake, prolonged)).matchedCount > 0) return true
      if (await leases.findOne({ _id: ID })) return false
      // The first one of this database; of two at once the other's is a duplicate.
      return unlessTaken(leases.updateOne({ _id: ID, holder }, prolonged, { upsert: true }))
    },
    async release() {
      await leases.deleteOne({ _id: ID, holder })
    },
  }
}
