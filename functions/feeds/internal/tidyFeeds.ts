import { define } from '../../../platform/runtime/function.js'
import { feeds } from '../contract.js'
import { FeedEntry } from '../feedEntry.model.js'

/** Whoever was away longer reads the present state instead; a jump in `seq` says so. */
const KEEP_MS = 7 * 24 * 3_600_000

/** Drops old entries, but of each feed never the newest: the next number follows from it. */
export default define(feeds.tidyFeeds, async (ctx) => {
  const entries = ctx.model(FeedEntry)
  const old = entries
    .aggregate([
      { $match: { at: { $lt: new Date(ctx.now().getTime() - KEEP_MS) } } },
      { $group: { _id: '$feed', newest: { $max: '$seq' }, count: { $sum: 1 } } },
      { $match: { count: { $gt: 1 } } },
    ])
    .cursor<{ _id: string; newest: number }>()
  let dropped = 0
  for await (const { _id, newest } of old) {
    if (ctx.remainingMs() === 0) break
    dropped += (await entries.deleteMany({ feed: _id, seq: { $lt: newest } })).deletedCount
  }
  return { dropped }
})
