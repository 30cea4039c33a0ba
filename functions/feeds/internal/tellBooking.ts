import { define } from '../../../platform/runtime/function.js'
import { feeds } from '../contract.js'
import { feedAppender } from '../feed.changes.js'

/** Here, and not in the bookings: each booking's news takes one call between processes less. */
export default define(feeds.tellBooking, async (ctx, { eventId, payload, createdAt }) => {
  const news = { key: eventId, name: 'booking:updated', data: payload, at: new Date(createdAt) }
  await ctx.use(feedAppender)(`user:${payload.userId}`, [news])
  return {}
})
