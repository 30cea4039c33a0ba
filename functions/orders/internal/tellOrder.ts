import { define } from '../../../platform/runtime/function.js'
import { feeds } from '../../feeds/contract.js'
import { orders } from '../contract.js'

export default define(orders.tellOrder, async (ctx, { eventId, payload, createdAt }) => {
  const news = { key: eventId, name: 'order:updated', data: payload, at: createdAt }
  await ctx.call(feeds.appendToFeed, { feed: `user:${payload.userId}`, entries: [news] })
  return {}
})
