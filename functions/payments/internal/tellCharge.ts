import { define } from '../../../platform/runtime/function.js'
import { feeds } from '../../feeds/contract.js'
import { payments } from '../contract.js'

export default define(payments.tellCharge, async (ctx, { eventId, payload, createdAt }) => {
  const news = { key: eventId, name: 'charge:updated', data: payload, at: createdAt }
  await ctx.call(feeds.appendToFeed, { feed: `user:${payload.userId}`, entries: [news] })
  return {}
})
