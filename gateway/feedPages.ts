import { LRUCache } from 'lru-cache'
import type { Entry } from '../functions/feeds/contract.js'

const MAX_CHARS = 16_000_000
/** Long enough for sockets that come back together, as after a reload. */
const KEEP_MS = 5000

/**
 * Pages of feeds for those who come back: what several want at the same time is read once, and kept for a moment where
 * the feed goes on behind it (`head` is further), for entries never change, only the last page grows.
 */
export function createPageReader(
  readPage: (feed: string, after: number) => Promise<Entry[]>,
): (feed: string, after: number, head: number) => Promise<Entry[]> {
  const reading = new Map<string, Promise<Entry[]>>()
  const kept = new LRUCache<string, Entry[]>({
    maxSize: MAX_CHARS,
    sizeCalculation: (entries) => JSON.stringify(entries).length,
    ttl: KEEP_MS,
  })

  async function readAndKeep(key: string, feed: string, after: number, head: number): Promise<Entry[]> {
    try {
      const entries = await readPage(feed, after)
      if ((entries.at(-1)?.seq ?? head) < head) kept.set(key, entries)
      return entries
    } finally {
      reading.delete(key)
    }
  }

  return (feed, after, head) => {
    const key = `${feed} ${after}`
    const page = kept.get(key)
    if (page) return Promise.resolve(page)
    const pending = reading.get(key) ?? readAndKeep(key, feed, after, head)
    reading.set(key, pending)
    return pending
  }
}
