import { define } from '../../../platform/runtime/function.js'
import { BACKLOG_PAGE, BACKLOG_READ_MS, backlogCheck } from '../../../protocol/backlog.js'
import { stuckSince } from '../../../protocol/recovery.js'
import { EXPIRE_ORDER, expirations } from '../contract.js'
import { Expiration } from '../expiration.model.js'

export default define(expirations.reportStuckTimers, async (ctx) => {
  const since = stuckSince(ctx)
  const found = await ctx
    .model(Expiration)
    .find(
      {
        // Each by an index of its own: nobody rings it, whoever rang it is gone, it rang in vain.
        $or: [
          { name: EXPIRE_ORDER, nextRunAt: { $lt: since } },
          { lockedAt: { $type: 'date', $lt: since } },
          { failCount: { $gt: 0 } },
        ],
      },
      { nextRunAt: 1, lockedAt: 1, dueAt: 1 },
    )
    .limit(BACKLOG_PAGE)
    .maxTimeMS(BACKLOG_READ_MS)
    .lean()
  const unsettled = found.map(({ nextRunAt, lockedAt, dueAt }) => ({
    parked: nextRunAt === null && lockedAt === null,
    since: dueAt,
  }))
  return { checks: [backlogCheck('timers', unsettled, ctx.now())] }
})
