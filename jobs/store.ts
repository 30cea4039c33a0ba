import mongoose from 'mongoose'
import { EXPIRATIONS } from '../functions/expirations/contract.js'
import { DUPLICATE_KEY } from '../platform/database/bulkErrors.js'
import { JOBS_COLLECTION } from '../platform/jobs/lateness.js'
import type { Databases } from '../platform/database/database.js'

/** A job as Agenda stores it; what has not happened yet is absent or null. */
export interface StoredJob {
  _id: mongoose.mongo.ObjectId
  name: string
  /** single: recurring, one of its name. normal: one run. */
  type: 'single' | 'normal'
  priority: number
  nextRunAt: Date | null
  repeatInterval?: number | string | null
  lastRunAt?: Date | null
  lastFinishedAt?: Date | null
  failedAt?: Date | null
  failReason?: string | null
  /** Failures since the last success. */
  failCount?: number | null
  lockedAt?: Date | null
  /** Who locked it: `<host>:<pid>` of a jobs process. */
  lastModifiedBy?: string | null
  disabled?: boolean | null
}

export type JobStore = mongoose.mongo.Collection<StoredJob>

/** The database of the domain `jobs`, which must be connected. */
export function jobsDatabase(databases: Databases): mongoose.mongo.Db {
  const { db } = databases.connection('jobs')
  if (!db) throw new Error('The jobs database is not connected')
  return db
}

export const jobStore = (databases: Databases): JobStore =>
  jobsDatabase(databases).collection<StoredJob>(JOBS_COLLECTION)

export function timersDatabase(databases: Databases): mongoose.mongo.Db {
  const { db } = databases.connection('expirations')
  if (!db) throw new Error('The expirations database is not connected')
  return db
}

/** Where the timers of orders stand, each under the id of its order. */
export const timerStore = (databases: Databases): JobStore =>
  timersDatabase(databases).collection<StoredJob>(EXPIRATIONS)

/**
 * Sees to it that the recurring job stands in the database, once, with this interval. An interval that became shorter
 * counts from now.
 *
 * Not Agenda's every(): that one also resets lock, history and pause of a job that is there, whoever runs it just
 * then, and leaves the next run where a longer interval had put it.
 */
export async function ensureRecurring(
  store: JobStore,
  { name, intervalMs }: { name: string; intervalMs: number },
  now: Date,
): Promise<void> {
  const latest = new Date(now.getTime() + intervalMs)
  const ensure = (upsert: boolean) =>
    store.updateOne(
      { name, type: 'single' },
      [
        {
          $set: {
            priority: { $ifNull: ['$priority', 0] },
            repeatInterval: intervalMs,
            nextRunAt: { $min: [{ $ifNull: ['$nextRunAt', now] }, latest] },
          },
        },
      ],
      { upsert },
    )
  try {
    await ensure(true)
  } catch (error) {
    // The unique index let one of several starters insert it; the others update what it inserted.
    if (!(error instanceof mongoose.mongo.MongoServerError && error.code === DUPLICATE_KEY)) throw error
    await ensure(false)
  }
}

/** Recurring jobs first, then single runs, the latest first. */
export const listJobs = (store: JobStore): Promise<StoredJob[]> =>
  store.find().sort({ type: -1, name: 1, nextRunAt: -1, lastFinishedAt: -1 }).toArray()

/** Timers that rang in vain: those that do not are many, and nobody's concern. */
export const listFailedTimers = (timers: JobStore): Promise<StoredJob[]> =>
  timers
    .find({ failCount: { $gt: 0 } })
    .sort({ failCount: -1, _id: 1 })
    .limit(1000)
    .toArray()

/** Whether a job that failed is not tried again by itself. */
export const isParked = ({ type, failCount, nextRunAt, lockedAt }: StoredJob): boolean =>
  type === 'normal' && Boolean(failCount) && !nextRunAt && !lockedAt

/** By id, or by name: the recurring job of that name, else the latest single run. */
export function findJob(store: JobStore, idOrName: string): Promise<StoredJob | null> {
  if (/^[0-9a-f]{24}$/.test(idOrName)) return store.findOne({ _id: new mongoose.mongo.ObjectId(idOrName) })
  return store.findOne({ name: idOrName }, { sort: { type: -1, _id: -1 } })
}

/**
 * Makes a job due now, with as many attempts as at first, and takes its lock away. Harmless where the holder of the lock
 * lives: runs of a job may overlap. Answers false where the job is paused or gone.
 */
export async function requeueJob(store: JobStore, id: StoredJob['_id'], now: Date): Promise<boolean> {
  const { matchedCount } = await store.updateOne(
    { _id: id, disabled: { $ne: true } },
    { $set: { nextRunAt: now, lockedAt: null, failCount: 0 } },
  )
  return matchedCount === 1
}

const finishedBefore = (time: Date): mongoose.mongo.Filter<StoredJob> => ({
  type: 'normal',
  repeatInterval: null,
  nextRunAt: null,
  lockedAt: null,
  lastFinishedAt: { $lt: time },
})

/** No index for what an operator asks once in a while: a walk through all jobs. */
const WALK = { hint: '_id_' } as const

/** How many single runs ended, well or badly, before a time. */
export const countFinished = (store: JobStore, before: Date): Promise<number> =>
  store.countDocuments(finishedBefore(before), WALK)

/** Removes them; recurring jobs stay. Answers how many were removed. */
export const purgeFinished = async (store: JobStore, before: Date): Promise<number> =>
  (await store.deleteMany(finishedBefore(before), WALK)).deletedCount
