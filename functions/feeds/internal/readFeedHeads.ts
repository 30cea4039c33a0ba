import { define } from '../../../platform/runtime/function.js'
import { feeds } from '../contract.js'
import { FeedEntry } from '../feedEntry.model.js'

export default define(feeds.readFeedHeads, async (ctx, { feeds: names }) => {
  // One index seek a feed, however long each is.
  const heads = await ctx
    .model(FeedEntry)
    .aggregate<{ _id: string; seq: number }>([
      { $match: { feed: { $in: names } } },
      { $sort: { feed: -1, seq: -1 } },
      { $group: { _id: '$feed', seq: { $first: '$seq' } } },
    ])
  const byFeed = new Map(heads.map(({ _id, seq }) => [_id, seq]))
  return { heads: names.map((each) => byFeed.get(each) ?? 0) }
})
