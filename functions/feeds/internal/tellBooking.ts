import type { News } from '../../../platform/contract/news.js'
import { define } from '../../../platform/runtime/function.js'
import type { news } from '../../bookings/contract.js'
import { feeds } from '../contract.js'
import { feedAppender } from '../feed.changes.js'

/** Here, and not in the bookings: each booking's news takes one call between processes less. */
export default define(feeds.tellBooking, async (ctx, { eventId, payload, createdAt }) => {
  const told: News<typeof news> = { name: 'booking:updated', data: payload }
  await ctx.use(feedAppender)(`user:${payload.userId}`, [{ ...told, key: eventId, at: new Date(createdAt) }])
  return {}
})
