import type { z } from 'zod'
import { feeds, type feedEntry, type UserNews } from '../functions/feeds/contract.js'
import { advanced, START, type AppendLog, type LogEntry } from '../platform/logs/appendLog.js'
import { createBatchSize } from '../platform/logs/batchSize.js'
import { progressCollection, storedProgress, type Progress } from '../platform/logs/projection.js'
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
  const name = `${collection}.feeds`
  const progresses = progressCollection(system, domain)
  const batch = createBatchSize(BATCH)

  async function advance(): Promise<number> {
    const found = await progresses.findOne<Progress>({ _id: name })
    const progress = found ?? { _id: name, generation: 1, offsets: [...START], version: 0, at: system.now() }
    const entries = await log.after(progress.offsets, batch.now())
    if (entries.length === 0) return 0
    await batch.during(() => tell(entries))
    const next = {
      ...progress,
      offsets: advanced(progress.offsets, entries),
      version: progress.version + 1,
      at: system.now(),
    }
    // Where another process moved it meanwhile, that one told the same.
    await progresses.replaceOne({ _id: name, version: progress.version }, storedProgress(next), {
      upsert: progress.version === 0,
    })
    return entries.length
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

  return { name, domain, log: collection, advance }
}
