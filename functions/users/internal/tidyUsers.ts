import type { Types } from 'mongoose'
import { define, type Context } from '../../../platform/runtime/function.js'
import { clearFinal, forgetOld, forgettingMark } from '../../../protocol/forgetting.js'
import { eachAlone, throwFirst } from '../../../protocol/retries.js'
import { users } from '../contract.js'
import { archiveLedger, RECENT_LIMIT } from '../ledger.changes.js'
import { forgetfulUsers, MARKER_FIELDS, type Marked } from '../marker.changes.js'
import { User } from '../user.model.js'

/** A user may remember tens of thousands of bookings. */
const PAGE = 20

/**
 * A sweep that runs out of time leaves the rest to the next one, which goes on from there: otherwise the users at the
 * end would never have their turn. Where a process forgets it, a sweep starts over.
 */
const sweep = (): { after: Types.ObjectId | null } => ({ after: null })

export default define(users.tidyUsers, async (ctx) => {
  const report = { archived: 0, cleared: 0, forgotten: 0 }
  const failures: unknown[] = []
  const position = ctx.use(sweep)
  while (ctx.remainingMs() > ctx.config.deadlinesMs.quick) {
    const page = await nextPage(ctx, position.after)
    position.after = page.at(-1)?._id ?? null
    if (position.after === null) break

    const failed = await eachAlone(page, async (part) => {
      for (const { _id, overlong } of part) if (overlong.length > 0) report.archived += await archiveLedger(ctx, _id)
      const forgetful = await forgetfulUsers(ctx, part)
      report.cleared += await clearFinal(forgetful, part)
      report.forgotten += await forgetOld(forgetful, part, forgettingMark(ctx))
    })
    for (const failure of failed) failures.push(failure)
  }
  throwFirst(failures)
  return report
})

interface Untidy extends Marked {
  /** The first entry beyond the limit of its ledger, if there is one. */
  overlong: unknown[]
}

/** Users with anything to tidy, or soon: one scan of the collection a sweep, in bounded pages. */
async function nextPage(ctx: Context, after: Types.ObjectId | null): Promise<Untidy[]> {
  const places = [...Object.keys(MARKER_FIELDS), 'recentLedger'].map((path) => ({
    [`${path}.${path === 'recentLedger' ? RECENT_LIMIT : 0}`]: { $exists: true },
  }))
  return ctx
    .model(User)
    .aggregate<Untidy>([
      { $match: { $or: places, ...(after && { _id: { $gt: after } }) } },
      { $sort: { _id: 1 } },
      { $limit: PAGE },
      { $project: { ...MARKER_FIELDS, overlong: { $slice: ['$recentLedger', RECENT_LIMIT, 1] } } },
    ])
}
