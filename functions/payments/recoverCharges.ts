import { define, type Context } from '../../platform/runtime/function.js'
import { PARK_AFTER, recoveryDelayMs, sweep } from '../../protocol/retries.js'
import { chargeParked } from './charge.news.js'
import { parkCharge, visibleCharge } from './charge.changes.js'
import { driveCharge } from './charge.engine.js'
import { Charge, type ChargeDocument } from './charge.model.js'
import { payments } from './contract.js'
import { giveUpOrphan } from './orderCopy.access.js'

const PAGE = 500
const AT_ONCE = 16
/** What waits for its buyer, or for Stripe, is looked at when it is twice as old, and at the latest after so long. */
const LONGEST_WAIT_MS = 3_600_000

export default define(payments.recoverCharges, async (ctx, { chargeId }) => {
  const due = chargeId === undefined ? await findDue(ctx) : [await visibleCharge(ctx, chargeId)]
  const report = { examined: due.length, moved: 0, parked: 0 }
  await sweep(ctx, due, AT_ONCE, async (charge) => {
    const end = await recover(ctx, charge)
    if (end === 'moved') report.moved++
    if (end === 'parked') report.parked++
  })
  return report
})

/** Those that have not failed come first, so that those that do never delay them. */
const findDue = (ctx: Context): Promise<ChargeDocument[]> =>
  ctx
    .model(Charge)
    .find({ dueAt: { $lte: ctx.now() } })
    .sort({ failures: 1, dueAt: 1 })
    .limit(PAGE)
    .lean()

async function recover(ctx: Context, due: ChargeDocument): Promise<'moved' | 'waits' | 'failed' | 'parked'> {
  const named = { chargeId: due._id, from: due.state }
  try {
    const charge = await giveUpOrphan(ctx, due)
    const { state, revision } = await driveCharge(ctx, charge)
    if (revision !== due.revision) {
      ctx.log.info({ ...named, to: state }, 'charge recovered')
      return 'moved'
    }
    const waitedMs = ctx.now().getTime() - due.lastModified.getTime()
    await postpone(ctx, due, { failures: 0, afterMs: Math.min(waitedMs, LONGEST_WAIT_MS) })
    return 'waits'
  } catch (error) {
    const failures = due.failures + 1
    ctx.log.warn({ ...named, failures, err: error }, 'recovery of a charge failed')
    if (failures < PARK_AFTER) {
      await postpone(ctx, due, { failures, afterMs: recoveryDelayMs(ctx.config.recovery, failures) })
      return 'failed'
    }
    const why = error instanceof Error ? error.message : 'unknown'
    await parkCharge(ctx, due, chargeParked(due, failures, why)).catch((cause: unknown) =>
      ctx.log.error({ ...named, err: cause }, 'a charge could not be parked'),
    )
    ctx.log.error({ ...named, failures }, 'charge parked: an admin must look at it')
    return 'parked'
  }
}

/** Only where nothing has moved it meanwhile. A look that is lost comes again: nothing rests on it. */
async function postpone(
  ctx: Context,
  { _id, revision }: ChargeDocument,
  { failures, afterMs }: { failures: number; afterMs: number },
): Promise<void> {
  const waitMs = Math.max(afterMs, ctx.config.recovery.stuckAfterMs)
  const dueAt = new Date(ctx.now().getTime() + waitMs)
  await ctx
    .model(Charge)
    .updateOne({ _id, revision, parked: false }, { $set: { failures, dueAt } })
    .catch((error: unknown) => ctx.log.error({ chargeId: _id, err: error }, 'a charge could not be postponed'))
}
