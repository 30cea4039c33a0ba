import type { News } from '../../../platform/contract/news.js'
import { define } from '../../../platform/runtime/function.js'
import { feeds } from '../../feeds/contract.js'
import { payments, type news } from '../contract.js'

export default define(payments.tellCharge, async (ctx, { eventId, payload, createdAt }) => {
  const told: News<typeof news> = { name: 'charge:updated', data: payload }
  await ctx.call(feeds.appendToFeed, {
    feed: `user:${payload.userId}`,
    entries: [{ ...told, key: eventId, at: createdAt }],
  })
  return {}
})
