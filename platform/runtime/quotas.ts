import { LRUCache } from 'lru-cache'
import type { mongo } from 'mongoose'
import type { Config } from '../../config/index.js'
import type { QuotaName } from '../../config/quotas.js'
import type { Caller } from '../contract/caller.js'
import { DUPLICATE_KEY, refusalsOf } from '../database/bulkErrors.js'
import type { Databases } from '../database/database.js'
import { Refusal } from '../contract/errors.js'
import type { Operation, QuotaOf } from '../contract/contract.js'
import { coalesce } from '../lib/coalesce.js'
import { sharedTrips } from './sharedTrips.js'

/** What somebody stored by one quota: in `quotas` of the domain whose operation it is. */
export interface QuotaDocument {
  /** `<who>:<quota>` */
  _id: string
  /** The day (UTC) that is counted: `2031-01-01`. */
  day: string
  count: number
  bytes: number
  /** What was counted that day and the day before: sent again, it is not counted again. */
  ids: string[]
  earlierIds: string[]
  /** When MongoDB may drop it. */
  expiresAt: Date
}

/** What is counted with: a system. */
interface Counting {
  config: Pick<Config, 'quotas' | 'deadlinesMs'>
  databases: Pick<Databases, 'connection'>
  use<T>(make: () => T): T
}

/** What is counted: a call. */
interface Counted {
  caller: Caller | null
  address: string | null
  requestId: string
  now(): Date
}

const COLLECTION = 'quotas'
const DAY_MS = 24 * 3_600_000
const KEEP_DAYS = 3
const ATTEMPTS = 20
const MAX_LUMPS = 20_000
/** Of the quota, what a process counts at once where it counts in lumps. */
const LUMP_SHARE = 0.01

/**
 * Of the primary alone, not journaled: what the operation stores comes after it in the same database, by majority, so
 * where that stands the count does. Only an election between the two may lose it: then one more fits into the day.
 */
const BEFORE_THE_WORK: mongo.UpdateOptions = { writeConcern: { w: 1, journal: false } }

/** Who stores it: a user, or where nobody is signed in an address. Admins and the system have no quotas. */
const storerOf = ({ caller, address }: Pick<Counted, 'caller' | 'address'>): string | null =>
  caller ? (caller.role === 'user' ? caller.userId : null) : address && `address:${address}`

/**
 * Counts what an operation is about to store, before it does, once an id. Throws `quota_exceeded` where the day has no
 * room for it: the guard is in the count's own write. A request counts whatever becomes of it; one that was counted may
 * come again, also when nothing more fits.
 */
export async function spendQuota(system: Counting, operation: Operation, input: unknown, ctx: Counted): Promise<void> {
  const { quota, newId, domain } = operation
  const who = storerOf(ctx)
  if (!quota || who === null) return
  const limits = limitsOf(system, quota)
  if (limits.count === Infinity && limits.bytes === Infinity) return

  const id = newId === undefined ? ctx.requestId : String((input as Record<string, unknown>)[newId])
  const lump = quota.inLumps ? Math.ceil(limits.count * LUMP_SHARE) : 1
  const spent = { count: lump, bytes: quota.bytes?.of(input) ?? 0 }
  const day = dayOf(ctx.now().getTime())
  if (quota.bytes && spent.bytes > limits.bytes) throw exceeded(quota.bytes.quota, day, ctx)
  const _id = `${who}:${quota.count}`
  if (lump > 1 && isInLump(system.use(createLumps), `${_id}:${day}`, id, lump)) return
  const fits = {
    ...{ _id, day: { $gte: day }, ids: { $ne: id }, earlierIds: { $ne: id } },
    ...{ count: { $lt: limits.count }, bytes: { $lte: limits.bytes - spent.bytes } },
  }
  const fresh = { day, earlierIds: [], expiresAt: endOfKeeping(day) }
  const change = { $inc: spent, $push: { ids: id }, $setOnInsert: fresh }
  const counts = system.databases.connection(domain).collection<QuotaDocument>(COLLECTION)
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (await countingIn(system, counts)({ fits, change })) {
      if (lump > 1) system.use(createLumps).set(`${_id}:${day}`, new Set([id]))
      return
    }
    const found = await counts.findOne({ _id }, { readConcern: 'local' })
    if (!found) continue
    if (found.day < day) {
      await beginDay(counts, day, found)
      continue
    }
    if (found.ids.includes(id) || found.earlierIds.includes(id)) return
    if (found.count >= limits.count) throw exceeded(quota.count, found.day, ctx)
    if (quota.bytes && found.bytes + spent.bytes > limits.bytes) throw exceeded(quota.bytes.quota, found.day, ctx)
  }
  throw new Refusal('unavailable', 'The quota is being counted by too many at once.')
}

interface Count {
  fits: mongo.Filter<QuotaDocument>
  /** Where there is no document yet, it makes one. */
  change: mongo.UpdateFilter<QuotaDocument>
}
type Counter = (count: Count) => Promise<boolean>

/** By collection. */
const createCounters = (): Map<mongo.Collection<QuotaDocument>, Counter> => new Map()

/**
 * Counts, each in a write of its own; those asked for at once share a round trip. False: it does not fit, or is not of this
 * day, or is counted already. Then the insert that an upsert becomes finds its _id taken.
 */
function countingIn(system: Counting, counts: mongo.Collection<QuotaDocument>): Counter {
  const counters = system.use(createCounters)
  let known = counters.get(counts)
  if (!known) {
    known = coalesce(
      async (asked: Count[]) => {
        const updates = asked.map(({ fits, change }) => ({ updateOne: { filter: fits, update: change, upsert: true } }))
        const refused = await refusalsOf(() => counts.bulkWrite(updates, { ordered: false, ...BEFORE_THE_WORK }))
        return asked.map((_, i) => {
          const error = refused.get(i)
          return error && error.code !== DUPLICATE_KEY ? new Error(error.errmsg) : !error
        })
      },
      sharedTrips(system, 'The database of the quotas'),
    )
    counters.set(counts, known)
  }
  return known
}

const limitsOf = ({ config }: Counting, { count, bytes }: QuotaOf): { count: number; bytes: number } => ({
  count: config.quotas[count] || Infinity,
  bytes: (bytes && config.quotas[bytes.quota]) || Infinity,
})

/** By who, quota and day: the ids of the lump that is being used up in this process. */
type Lumps = LRUCache<string, Set<string>>
const createLumps = (): Lumps => new LRUCache({ max: MAX_LUMPS })

/** False: the lump is used up, and a new one begins with this id. */
function isInLump(lumps: Lumps, key: string, id: string, size: number): boolean {
  const lump = lumps.get(key) ?? new Set()
  if (!lump.has(id) && lump.size >= size) return false
  lumps.set(key, lump.add(id))
  return true
}

/** Whoever else began it meanwhile is as good. */
async function beginDay(
  counts: mongo.Collection<QuotaDocument>,
  day: string,
  { _id, day: before, ids }: QuotaDocument,
): Promise<void> {
  const earlierIds = before === dayOf(Date.parse(day) - DAY_MS) ? ids : []
  const fresh = { day, count: 0, bytes: 0, ids: [], earlierIds, expiresAt: endOfKeeping(day) }
  await counts.updateOne({ _id, day: before }, { $set: fresh }, BEFORE_THE_WORK)
}

const endOfKeeping = (day: string): Date => new Date(Date.parse(day) + KEEP_DAYS * DAY_MS)

/** The day of a quota has no more room: it ends at midnight UTC. */
export function exceeded(quota: QuotaName, day: string, { now }: Pick<Counted, 'now'>): Refusal {
  const untilMs = Date.parse(day) + DAY_MS
  return new Refusal('quota_exceeded', `The daily quota is used up: ${quota}.`, {
    quota,
    until: new Date(untilMs).toISOString(),
    retryAfterMs: untilMs - now().getTime(),
  })
}

export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
