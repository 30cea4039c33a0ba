import { define } from '../../../platform/runtime/function.js'
import { feeds, presentEntry } from '../contract.js'
import { feedAppender } from '../feed.changes.js'

export default define(feeds.appendToFeed, async (ctx, { feed, entries }) => {
  const news = entries.map(({ key, name, data, at, also, ends }) => ({
    key,
    name,
    data,
    at: new Date(at),
    ...(also && { also }),
    ...(ends && { ends: ends.userId === undefined ? {} : { userId: ends.userId } }),
  }))
  const stored = await ctx.use(feedAppender)(feed, news)
  return { entries: stored.map(presentEntry) }
})
