import { define } from '../../../platform/runtime/function.js'
import { withinPage } from '../../../platform/runtime/pages.js'
import { feeds, presentEntry } from '../contract.js'
import { FeedEntry } from '../feedEntry.model.js'

export default define(feeds.readFeed, async (ctx, { feed, after, limit }) => {
  const entries = await ctx
    .model(FeedEntry)
    .find({ feed, seq: { $gt: after } })
    .sort({ seq: 1 })
    .limit(limit)
    .lean()
  return { entries: withinPage(entries.map(presentEntry)) }
})
