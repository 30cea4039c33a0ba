import { Refusal } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { dueFilters, PARK_AFTER, sweep } from '../../protocol/retries.js'
import { Unknown } from '../../protocol/store.js'
import { users } from './contract.js'
import { transferProtocols } from './transfer.engine.js'
import { TRANSFER_KINDS, type TransferKind } from './transfer.kinds.js'
import type { TransferDocument } from './transfer.model.js'

const PAGE = 500
const AT_ONCE = 16

export default define(users.recoverTransfers, async (ctx, { transferId }) => {
  const report = { examined: 0, committed: 0, cancelled: 0, parked: 0 }
  for (const kind of TRANSFER_KINDS) {
    const stuck = await (transferId === undefined ? findStuck(ctx, kind) : findOne(ctx, kind, transferId))
    report.examined += stuck.length
    await sweep(ctx, stuck, AT_ONCE, async (transfer) => {
      const end = await recover(ctx, kind, transfer)
      if (end !== 'failed') report[end]++
    })
  }
  if (transferId !== undefined && report.examined === 0)
    throw new Refusal('transfer_not_found', `No deposit or withdrawal ${transferId} is pending.`)
  return report
})

/** Taking one from a living owner would do no harm. Those that do not fit wait for the next run. */
async function findStuck(ctx: Context, kind: TransferKind): Promise<TransferDocument[]> {
  const since = new Date(ctx.now().getTime() - ctx.config.recovery.stuckAfterMs)
  // createdAt is never after lastModified: its index narrows, lastModified decides.
  const stuck = { state: 'PENDING' as const, createdAt: { $lt: since }, parked: { $ne: true } }
  const { fresh, again } = dueFilters(ctx, 'failures')
  const oldest = (filter: object) =>
    ctx
      .model(kind.model)
      .find({ ...stuck, ...filter })
      .sort({ createdAt: 1 })
      .limit(PAGE)
      .lean<TransferDocument[]>()
  return [...(await oldest(fresh)), ...(await oldest(again))]
}

const findOne = (ctx: Context, kind: TransferKind, id: string): Promise<TransferDocument[]> =>
  ctx.model(kind.model).find({ _id: id, state: 'PENDING' }).lean<TransferDocument[]>()

async function recover(
  ctx: Context,
  kind: TransferKind,
  stuck: TransferDocument,
): Promise<'committed' | 'cancelled' | 'parked' | 'failed'> {
  const entity = { [`${kind.name}Id`]: stuck._id }
  try {
    const { state } = await ctx.use(transferProtocols[kind.name]).drive(stuck)
    ctx.log.info({ ...entity, to: state }, `${kind.name} recovered`)
    return state === 'COMMITTED' ? 'committed' : 'cancelled'
  } catch (error) {
    const failures = (stuck.failures ?? 0) + 1
    const parked = failures >= PARK_AFTER
    ctx.log[error instanceof Unknown && !parked ? 'warn' : 'error'](
      { ...entity, failures, parked, err: error },
      `recovery of a ${kind.name} failed`,
    )
    // Whoever settles it meanwhile makes it final: then nothing matches.
    await ctx
      .model(kind.model)
      .updateOne({ _id: stuck._id, state: 'PENDING' }, { $set: { failures, parked, lastModified: ctx.now() } })
      .catch((cause: unknown) => ctx.log.error({ ...entity, err: cause }, `a ${kind.name} could not be postponed`))
    return parked ? 'parked' : 'failed'
  }
}
