import type { z } from 'zod'
import { feeds, type feedEntry, type UserNews } from '../functions/feeds/contract.js'
import { unlessTaken } from '../platform/database/bulkErrors.js'
import type { AppendLog, LogEntry } from '../platform/logs/appendLog.js'
import { createBatchSize } from '../platform/logs/batchSize.js'
import { takeNext, type Position } from '../platform/logs/halts.js'
import {
  feedProgress,
  movedTo,
  progressCollection,
  storedProgress,
  type Progress,
} from '../platform/logs/projection.js'
import type { System } from '../platform/runtime/system.js'

/** Something that follows a log from where it stopped. */
export interface ProjectionFollower {
  /** Names its progress document. */
  name: string
  domain: string
  /** The collection of the log. */
  log: string
  /** Takes what stands next in the log; answers how many entries, 0 where there is nothing to do. */
  advance(): Promise<number>
}

const BATCH = 200
const FEEDS_AT_ONCE = 8
const MAX_NEWS_PER_CALL = 100

/**
 * Tells users' feeds what a log says. The position is saved after the feeds have it, so a crash in between tells again;
 * a feed takes each key once. Entries of one conversation or invitation stand in one partition and are told in order.
 */
export function createFeedFollower<E extends LogEntry>(
  system: System,
  options: {
    domain: string
    collection: string
    log: AppendLog<E>
    news: (entry: E) => UserNews[]
    /** Tells other domains of an entry; may be called again for the same one. */
    forward?: (entry: E) => Promise<unknown>
  },
): ProjectionFollower {
  const { domain, collection, log, news, forward } = options
  const progresses = progressCollection(system, domain)
  const readProgress = feedProgress(system, { domain, collection })
  const batch = createBatchSize(BATCH)

  async function advance(): Promise<number> {
    const progress = await readProgress()
    const { offsets, halts = [] } = progress
    const take = (entries: E[], next: Position) => takeInto(progress, entries, next)
    const follower = { name: progress._id, log, batch, now: system.now, logger: system.log, take }
    return takeNext(follower, { offsets, halts })
  }

  /** Where another process moved it meanwhile, that one told the same. */
  async function takeInto(progress: Progress, entries: E[], position: Position): Promise<boolean> {
    await tell(entries)
    const next = movedTo(progress, position, system.now())
    const before = { _id: progress._id, version: progress.version }
    await unlessTaken(progresses.replaceOne(before, storedProgress(next), { upsert: progress.version === 0 }))
    return true
  }

  async function tell(entries: E[]): Promise<void> {
    for (const entry of entries) await forward?.(entry)
    const byFeed = new Map<string, Omit<z.input<typeof feedEntry>, 'feed' | 'seq'>[]>()
    for (const entry of entries) {
      for (const { userId, name: event, data } of news(entry)) {
        const feed = `user:${userId}`
        const own = byFeed.get(feed) ?? []
        own.push({ key: `${collection}:${entry._id}:${event}`, name: event, data, at: entry.at.toISOString() })
        byFeed.set(feed, own)
      }
    }
    const queue = byFeed.entries()
    await Promise.all(
      Array.from({ length: FEEDS_AT_ONCE }, async () => {
        for (const [feed, all] of queue) {
          for (let i = 0; i < all.length; i += MAX_NEWS_PER_CALL) {
            const part = all.slice(i, i + MAX_NEWS_PER_CALL)
            await system.call(feeds.appendToFeed, { feed, entries: part }, { caller: null, requestId: system.newId() })
          }
        }
      }),
    )
  }

  return { name: `${collection}.feeds`, domain, log: collection, advance }
}
