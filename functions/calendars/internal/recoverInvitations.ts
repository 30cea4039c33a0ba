import { define, type Context } from '../../../platform/runtime/function.js'
import { bookingLog } from '../bookingLog.model.js'
import { CalendarHead, type HeldPeriod } from '../calendarHead.model.js'
import { calendars } from '../contract.js'
import { settleConfirmation } from '../invitation.settlement.js'

const AT_ONCE = 32
const PAGE = 500

export default define(calendars.recoverInvitations, async (ctx) => {
  const since = new Date(ctx.now().getTime() - ctx.config.recovery.stuckAfterMs)
  const heads = await ctx
    .model(CalendarHead)
    .find({ 'holds.confirmingSince': { $lt: since } }, { holds: 1 })
    .limit(PAGE)
    .lean()
  const stuck = heads.flatMap(({ holds }) =>
    holds.filter((hold) => hold.confirmingSince && hold.confirmingSince < since),
  )
  const report = { examined: stuck.length, confirmed: 0, refused: 0 }
  const queue = stuck.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const hold of queue) if (ctx.remainingMs() > 0) await recover(ctx, hold, report)
    }),
  )
  return report
})

async function recover(ctx: Context, hold: HeldPeriod, report: { confirmed: number; refused: number }): Promise<void> {
  const invitationId = hold.invitationId.toHexString()
  try {
    const newest = await ctx.use(bookingLog).head(invitationId)
    // Somebody else was faster.
    if (newest?.kind !== 'confirmation_started') return
    const ended = await settleConfirmation(ctx, newest)
    if (ended.kind === 'confirmed') report.confirmed++
    else report.refused++
    ctx.log.info({ invitationId, to: ended.kind }, 'confirmation recovered')
  } catch (error) {
    // Whatever it was, the next run comes again: one must not hold up the others.
    ctx.log.warn({ invitationId, err: error }, 'recovery of a confirmation failed')
  }
}
