import { define, type Context } from '../../../platform/runtime/function.js'
import { BACKLOG_PAGE, BACKLOG_READ_MS, backlogCheck, type Unsettled } from '../../../protocol/backlog.js'
import { stuckSince } from '../../../protocol/recovery.js'
import { users } from '../contract.js'
import { MailRequest } from '../mail.model.js'
import { TRANSFER_KINDS, type TransferKind } from '../transfer.kinds.js'
import type { TransferDocument } from '../transfer.model.js'

export default define(users.reportStuckTransfers, async (ctx) => {
  const [mails, ...transfers] = await Promise.all([
    unsettledOf(ctx, MailRequest),
    ...TRANSFER_KINDS.map(({ model }) => unsettledOf(ctx, model)),
  ])
  return {
    checks: [backlogCheck('transfers', transfers.flat(), ctx.now()), backlogCheck('mails', mails, ctx.now())],
  }
})

async function unsettledOf(ctx: Context, model: TransferKind['model'] | typeof MailRequest): Promise<Unsettled[]> {
  const found = await ctx
    .model(model as TransferKind['model'])
    .find({ state: 'PENDING', createdAt: { $lt: stuckSince(ctx) } } as never, { parked: 1, lastModified: 1 })
    .sort({ createdAt: 1 })
    .limit(BACKLOG_PAGE)
    .maxTimeMS(BACKLOG_READ_MS)
    .lean<Pick<TransferDocument, 'parked' | 'lastModified'>[]>()
  return found.map(({ parked = false, lastModified }) => ({ parked, since: lastModified }))
}
