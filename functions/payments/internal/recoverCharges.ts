import { define, type Context } from '../../../platform/runtime/function.js'
import { stuckSince } from '../../../protocol/recovery.js'
import { driveCharge } from '../charge.engine.js'
import { Charge, type ChargeDocument } from '../charge.model.js'
import { OPEN_CHARGES } from '../charge.states.js'
import { payments } from '../contract.js'

const PAGE = 500
const AT_ONCE = 16

export default define(payments.recoverCharges, async (ctx) => {
  const charges = ctx.model(Charge)
  const stuck = await charges
    .find({ state: { $in: [...OPEN_CHARGES] }, lastModified: { $lt: stuckSince(ctx) } })
    .sort({ lastModified: 1 })
    .limit(PAGE)
    .lean()
  const report = { examined: stuck.length, moved: 0 }
  const queue = stuck.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const charge of queue) if (ctx.remainingMs() > 0 && (await recover(ctx, charge))) report.moved++
    }),
  )
  return report
})

/** One that fails must not hold up the others: it stays as it is, and the next run tries again. */
async function recover(ctx: Context, stuck: ChargeDocument): Promise<boolean> {
  const named = { chargeId: stuck._id, from: stuck.state }
  try {
    const { state } = await driveCharge(ctx, stuck)
    if (state !== stuck.state) {
      ctx.log.info({ ...named, to: state }, 'charge recovered')
      return true
    }
    // It waits for its buyer: it is looked at again when it has not moved for as long as that once more.
    await ctx
      .model(Charge)
      .updateOne({ _id: stuck._id, state, lastModified: stuck.lastModified }, { $set: { lastModified: ctx.now() } })
  } catch (error) {
    ctx.log.warn({ ...named, err: error }, 'recovery of a charge failed')
  }
  return false
}
