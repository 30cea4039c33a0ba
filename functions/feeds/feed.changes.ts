import { LRUCache } from 'lru-cache'
import mongoose from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'
import { DUPLICATE_KEY, refusalsOf } from '../../platform/database/bulkErrors.js'
import { coalesce } from '../../platform/lib/coalesce.js'
import { Refusal } from '../../platform/contract/errors.js'
import type { System } from '../../platform/runtime/system.js'
import { presentEntry, type FeedHint } from './contract.js'
import { FeedEntry, type FeedEntryDocument } from './feedEntry.model.js'

export type NewFeedEntry = Omit<FeedEntryDocument, '_id' | 'feed' | 'seq'>

const MAX_BATCH = 200
const MAX_ATTEMPTS = 50
const MAX_KNOWN_HEADS = 10_000

/** Another process has this number of the feed. */
class Taken extends Error {}

interface Waiting {
  news: readonly NewFeedEntry[]
  resolve(entries: FeedEntryDocument[]): void
  reject(error: unknown): void
}

/**
 * Appends to feeds, one batch a feed at a time; what comes meanwhile gathers for the next one. Answers the entries as
 * they stand. Throws where the outcome is unknown: sent again, each key still stands once.
 *
 * Why no number is ever missing: an entry is inserted only where the one before it is majority, or goes before it in the
 * same ordered insert, which stops at the first that fails. So a batch cut short by a crash is a whole beginning of it,
 * and one that lands late finds its first number taken and leaves nothing. Two processes that want the same number meet
 * in the unique index; the loser reads where the feed is by then. Of several feeds the one next entry each goes in the same
 * unordered insert, where one that fails stops no other.
 */
export function feedAppender(
  system: System,
): (feed: string, news: readonly NewFeedEntry[]) => Promise<FeedEntryDocument[]> {
  const collection = system.model(FeedEntry).collection
  const queues = new Map<string, Waiting[]>()
  /** Numbers that are majority; another process may be further by now. */
  const heads = new LRUCache<string, number>({ max: MAX_KNOWN_HEADS })

  async function work(feed: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const batch = takeBatch(queue)
      try {
        const entries = await write(feed, firstOfEachKey(batch.flatMap(({ news }) => news)))
        for (const { news, resolve } of batch) resolve(news.map(({ key }) => entries.get(key) as FeedEntryDocument))
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    queues.delete(feed)
  }

  async function write(feed: string, news: NewFeedEntry[]): Promise<Map<string, FeedEntryDocument>> {
    const stored = new Map<string, FeedEntryDocument>()
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const head = heads.get(feed) ?? (await readHead(feed))
      const fresh = news
        .filter(({ key }) => !stored.has(key))
        .map((each, i) => ({ _id: new mongoose.Types.ObjectId(), feed, seq: head + 1 + i, ...each }))
      if (fresh.length === 0) return stored
      try {
        await (fresh.length === 1 ? insertNext(fresh[0] as FeedEntryDocument) : insertRun(fresh))
        heads.set(feed, head + fresh.length)
        for (const each of fresh) stored.set(each.key, each)
        return stored
      } catch (error) {
        heads.delete(feed)
        if (!(error instanceof Taken)) throw error
      }
      for (const each of await readStored(feed, news)) stored.set(each.key, each)
      // What is in the way may not be majority yet: it shows in a moment.
      await sleep(Math.min(attempt, 20))
    }
    throw new Refusal('unavailable', 'The feed is too busy.')
  }

  /** What became of each; Taken: another process has the number. */
  async function insert(entries: FeedEntryDocument[], ordered: boolean): Promise<(Error | undefined)[]> {
    const refused = await refusalsOf(() => collection.insertMany(entries, { ordered, writeConcern: { w: 'majority' } }))
    return entries.map((_, i) => {
      const write = refused.get(i)
      return write && (write.code === DUPLICATE_KEY ? new Taken() : new Error(write.errmsg))
    })
  }

  /** To gateway workers, of what is majority. What they are not told they find when they look. */
  function tell(entries: FeedEntryDocument[]): void {
    for (const each of entries) system.tell({ appended: presentEntry(each) } satisfies FeedHint)
  }

  async function insertRun(entries: FeedEntryDocument[]): Promise<void> {
    const refusal = (await insert(entries, true)).find((each) => each !== undefined)
    if (refusal) throw refusal
    tell(entries)
  }

  const insertNext = coalesce<FeedEntryDocument, void>(
    async (entries) => {
      const outcomes = await insert(entries, false)
      tell(entries.filter((_, i) => outcomes[i] === undefined))
      return outcomes
    },
    {
      maxBatch: MAX_BATCH,
      maxInFlight: 2,
      timeoutMs: system.config.deadlinesMs.quick,
      onTimeout: () => new Refusal('unavailable', 'The feeds are too slow.'),
    },
  )

  const readHead = async (feed: string): Promise<number> => (await newestOf(system, feed))?.seq ?? 0

  const readStored = (feed: string, news: NewFeedEntry[]): Promise<FeedEntryDocument[]> =>
    system
      .model(FeedEntry)
      .find({ feed, key: { $in: news.map(({ key }) => key) } })
      .lean()

  return (feed, news) =>
    new Promise((resolve, reject) => {
      const waiting = { news, resolve, reject }
      const queue = queues.get(feed)
      if (queue) {
        queue.push(waiting)
      } else {
        const started = [waiting]
        queues.set(feed, started)
        void work(feed, started)
      }
    })
}

const newestOf = (system: System, feed: string) =>
  system.model(FeedEntry).findOne({ feed }, { seq: 1 }).sort({ seq: -1 }).lean()

/** At least one call's news, however many they are. */
function takeBatch(queue: Waiting[]): Waiting[] {
  let count = 0
  const end = queue.findIndex(({ news }) => (count += news.length) > MAX_BATCH)
  return queue.splice(0, end < 0 ? queue.length : Math.max(1, end))
}

const firstOfEachKey = (news: NewFeedEntry[]): NewFeedEntry[] =>
  [...new Map(news.toReversed().map((each) => [each.key, each] as const)).values()].toReversed()
