import type { CallError } from '../errors.js'
import { createReader, type Entry, type Reader } from '../reader.js'

/** Numbered entries by feed, and whoever follows them. */
export interface FeedStore {
  /** Tells what happened, once for each `key`; answers the entry that says it. */
  append(feed: string, entry: { name: string; at: string; [field: string]: unknown }, key?: string): Entry
  follow(feed: string, options: FollowFeed): Reader
  seqOf(feed: string): number
  /** Ends loops over a feed: all, or those of one user. */
  end(feed: string, userId?: string, error?: CallError): void
}

export interface FollowFeed {
  userId: string | undefined
  lastSeq?: number | undefined
  takes?: ((entry: Entry) => boolean) | undefined
  /** Somebody reads this entry. */
  taken?(entry: Entry): void
  ended?(): void
  /** Why there is nothing to follow. */
  refusal?: CallError | undefined
}

interface Feed {
  entries: Entry[]
  said: Map<string, Entry>
  readers: Map<Reader, FollowFeed>
}

export function createFeedStore(): FeedStore {
  const feeds = new Map<string, Feed>()
  function feedOf(name: string): Feed {
    const known = feeds.get(name) ?? { entries: [], said: new Map(), readers: new Map() }
    feeds.set(name, known)
    return known
  }

  const push = (reader: Reader, { taken }: FollowFeed, entry: Entry): void => {
    if (reader.push(entry)) taken?.(entry)
  }

  function catchUp(feed: Feed, reader: Reader, options: FollowFeed): void {
    const head = feed.entries.length
    const from = reader.seq() ?? head
    reader.told({ from, head })
    for (const entry of feed.entries.slice(from)) push(reader, options, entry)
  }

  return {
    append(name, entry, key) {
      const feed = feedOf(name)
      const earlier = key === undefined ? undefined : feed.said.get(key)
      if (earlier) return earlier
      const added = { ...entry, seq: feed.entries.length + 1 }
      feed.entries.push(added)
      if (key !== undefined) feed.said.set(key, added)
      for (const [reader, options] of [...feed.readers]) push(reader, options, added)
      return added
    },
    follow(name, options) {
      const feed = feedOf(name)
      const reader: Reader = createReader({
        lastSeq: options.lastSeq,
        takes: options.takes,
        // Not in this turn: the reader asks in the middle of its own.
        behind: () => queueMicrotask(() => catchUp(feed, reader, options)),
        ended() {
          feed.readers.delete(reader)
          options.ended?.()
        },
      })
      if (options.refusal) reader.finish(options.refusal)
      else {
        feed.readers.set(reader, options)
        catchUp(feed, reader, options)
      }
      return reader
    },
    seqOf: (name) => feedOf(name).entries.length,
    end(name, userId, error) {
      for (const [reader, options] of [...feedOf(name).readers]) {
        if (userId === undefined || options.userId === userId) reader.finish(error)
      }
    },
  }
}
