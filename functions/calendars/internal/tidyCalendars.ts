import type { Types } from 'mongoose'
import { updateOf } from '../../../platform/database/updates.js'
import { define } from '../../../platform/runtime/function.js'
import { eachPage } from '../../../protocol/retries.js'
import { CalendarHead } from '../calendarHead.model.js'
import { calendars } from '../contract.js'
import { tidyPairs } from '../pair.changes.js'

/** How far behind forgetting stays: no clock is wrong by that much. */
const REMEMBER_MS = 24 * 3_600_000
const PAGE = 500

/**
 * Drops held periods that have ended. The same update raises the mark below which nothing can be held any more, so two
 * overlapping ones stay impossible whatever the clocks say. And pairs of users who have nothing to do with each other.
 */
export default define(calendars.tidyCalendars, async (ctx) => {
  const mark = new Date(ctx.now().getTime() - REMEMBER_MS)
  const ended = { to: { $lt: mark } }
  const { collection } = ctx.model(CalendarHead)
  const report = { users: 0, pairs: await tidyPairs(ctx, mark) }
  const found = collection.find<{ _id: Types.ObjectId }>({ holds: { $elemMatch: ended } }, { projection: { _id: 1 } })
  await eachPage(ctx, { found, size: PAGE }, async (part) => {
    const theirs = { _id: { $in: part.map(({ _id }) => _id) }, holds: { $elemMatch: ended } }
    const change = updateOf({ $max: { forgottenBefore: mark }, $pull: { holds: ended } })
    report.users += (await collection.updateMany(theirs, change)).modifiedCount
  })
  return report
})
