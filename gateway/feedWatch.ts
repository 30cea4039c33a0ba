import type { Entry, FeedHint } from '../functions/feeds/contract.js'
import type { Transport } from '../platform/runtime/transport.js'

/** Calls back for each entry that is appended to any feed. Best effort: `opened` says that some may have been missed. */
export type WatchFeeds = (listener: { appended(entry: Entry): void; opened(): void }) => void

/** Whoever appends to a feed says so: no call could be as soon, and no change stream as cheap. */
export const watchFeeds =
  ({ hear }: Pick<Transport, 'hear'>): WatchFeeds =>
  ({ appended, opened }) =>
    hear({
      connected: opened,
      told(hint) {
        const entry = (hint as Partial<FeedHint>).appended
        if (entry) appended(entry)
      },
    })
