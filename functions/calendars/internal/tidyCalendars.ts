import { updateOf } from '../../../platform/database/updates.js'
import { define } from '../../../platform/runtime/function.js'
import { CalendarHead } from '../calendarHead.model.js'
import { calendars } from '../contract.js'
import { tidyPairs } from '../pair.changes.js'

/** How far behind forgetting stays: no clock is wrong by that much. */
const REMEMBER_MS = 24 * 3_600_000

/**
 * Drops held periods that have ended. The same update raises the mark below which nothing can be held any more, so two
 * overlapping ones stay impossible whatever the clocks say. And pairs of users who have nothing to do with each other.
 */
export default define(calendars.tidyCalendars, async (ctx) => {
  const mark = new Date(ctx.now().getTime() - REMEMBER_MS)
  const ended = { to: { $lt: mark } }
  const { modifiedCount } = await ctx
    .model(CalendarHead)
    .collection.updateMany(
      { holds: { $elemMatch: ended } },
      updateOf({ $max: { forgottenBefore: mark }, $pull: { holds: ended } }),
    )
  return { users: modifiedCount, pairs: await tidyPairs(ctx, mark) }
})
