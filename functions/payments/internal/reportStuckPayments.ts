import { define, type Context } from '../../../platform/runtime/function.js'
import { BACKLOG_PAGE, BACKLOG_READ_MS, backlogCheck, type Unsettled } from '../../../protocol/backlog.js'
import { unsettledOf } from '../../../protocol/recovery.js'
import { Charge } from '../charge.model.js'
import { payments } from '../contract.js'
import { Payment } from '../payment.model.js'

export default define(payments.reportStuckPayments, async (ctx) => ({
  checks: [
    backlogCheck('payments', await unsettledOf(ctx, Payment), ctx.now()),
    backlogCheck('charges', [...(await overdue(ctx)), ...(await waitingForAdmin(ctx))], ctx.now()),
  ],
}))

/** Recovery should have looked at them. The order is the index's, which the planner takes by it. */
async function overdue(ctx: Context): Promise<Unsettled[]> {
  const { stuckAfterMs, intervalMs } = ctx.config.recovery
  const found = await ctx
    .model(Charge)
    .find(
      { dueAt: { $lt: new Date(ctx.now().getTime() - stuckAfterMs - intervalMs) }, parked: false },
      { lastModified: 1 },
    )
    .sort({ failures: 1, dueAt: 1 })
    .limit(BACKLOG_PAGE)
    .maxTimeMS(BACKLOG_READ_MS)
    .lean()
  return found.map(({ lastModified }) => ({ parked: false, since: lastModified }))
}

async function waitingForAdmin(ctx: Context): Promise<Unsettled[]> {
  const found = await ctx
    .model(Charge)
    .find({ attention: true }, { lastModified: 1 })
    .limit(BACKLOG_PAGE)
    .maxTimeMS(BACKLOG_READ_MS)
    .lean()
  return found.map(({ lastModified }) => ({ parked: true, since: lastModified }))
}
