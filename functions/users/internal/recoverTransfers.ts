import { define, type Context } from '../../../platform/runtime/function.js'
import { Unknown } from '../../../protocol/store.js'
import { users } from '../contract.js'
import { TRANSFER_KINDS, type TransferKind } from '../transfer.kinds.js'
import type { TransferDocument } from '../transfer.model.js'
import { transferProtocols } from '../transfer.engine.js'

const PAGE = 500
const AT_ONCE = 16

export default define(users.recoverTransfers, async (ctx) => {
  const report = { examined: 0, committed: 0, cancelled: 0 }
  for (const kind of TRANSFER_KINDS) {
    const stuck = await findStuck(ctx, kind)
    report.examined += stuck.length
    const queue = stuck.values()
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const transfer of queue) {
          if (ctx.remainingMs() === 0) return
          const settled = await recover(ctx, kind, transfer)
          if (settled?.state === 'COMMITTED') report.committed++
          if (settled?.state === 'CANCELLED') report.cancelled++
        }
      }),
    )
  }
  return report
})

/** Oldest first; those that do not fit wait for the next run. Taking one from a living owner would do no harm. */
function findStuck(ctx: Context, kind: TransferKind): Promise<TransferDocument[]> {
  const since = new Date(ctx.now().getTime() - ctx.config.recovery.stuckAfterMs)
  return (
    ctx
      .model(kind.model)
      // createdAt is never after lastModified: its index narrows, lastModified decides.
      .find({ state: 'PENDING', createdAt: { $lt: since }, lastModified: { $lt: since } })
      .sort({ createdAt: 1 })
      .limit(PAGE)
      .lean()
  )
}

/** One that fails must not hold up the others: it stays PENDING, and the next run tries again. */
async function recover(ctx: Context, kind: TransferKind, stuck: TransferDocument): Promise<TransferDocument | null> {
  const entity = { [`${kind.name}Id`]: stuck._id }
  try {
    const settled = await ctx.use(transferProtocols[kind.name]).drive(stuck)
    ctx.log.info({ ...entity, to: settled.state }, `${kind.name} recovered`)
    return settled
  } catch (error) {
    ctx.log[error instanceof Unknown ? 'warn' : 'error']({ ...entity, err: error }, `recovery of a ${kind.name} failed`)
    return null
  }
}
