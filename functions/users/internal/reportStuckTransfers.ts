import { define, type Context } from '../../../platform/runtime/function.js'
import { BACKLOG_PAGE, BACKLOG_READ_MS, backlogCheck, type Unsettled } from '../../../protocol/backlog.js'
import { stuckSince } from '../../../protocol/recovery.js'
import { users } from '../contract.js'
import { TRANSFER_KINDS, type TransferKind } from '../transfer.kinds.js'
import type { TransferDocument } from '../transfer.model.js'

export default define(users.reportStuckTransfers, async (ctx) => {
  const unsettled = await Promise.all(TRANSFER_KINDS.map((kind) => unsettledOf(ctx, kind)))
  return { checks: [backlogCheck('transfers', unsettled.flat(), ctx.now())] }
})

async function unsettledOf(ctx: Context, { model }: TransferKind): Promise<Unsettled[]> {
  const found = await ctx
    .model(model)
    .find({ state: 'PENDING', createdAt: { $lt: stuckSince(ctx) } } as never, { parked: 1, lastModified: 1 })
    .sort({ createdAt: 1 })
    .limit(BACKLOG_PAGE)
    .maxTimeMS(BACKLOG_READ_MS)
    .lean<Pick<TransferDocument, 'parked' | 'lastModified'>[]>()
  return found.map(({ parked = false, lastModified }) => ({ parked, since: lastModified }))
}
