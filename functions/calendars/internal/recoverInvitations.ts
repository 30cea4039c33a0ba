import { define, type Context } from '../../../platform/runtime/function.js'
import { bookingLog } from '../bookingLog.model.js'
import { CalendarHead, type Settling } from '../calendarHead.model.js'
import { calendars } from '../contract.js'
import { isSettling, settle } from '../invitation.settlement.js'

const AT_ONCE = 32
const PAGE = 500

export default define(calendars.recoverInvitations, async (ctx) => {
  const since = new Date(ctx.now().getTime() - ctx.config.recovery.stuckAfterMs)
  const heads = await ctx
    .model(CalendarHead)
    .find({ 'settling.since': { $lt: since } }, { settling: 1 })
    .limit(PAGE)
    .lean()
  const stuck = heads.flatMap(({ settling }) => settling.filter((each) => each.since < since))
  const report = { examined: stuck.length, confirmed: 0, cancelled: 0, refused: 0 }
  const queue = stuck.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const each of queue) if (ctx.remainingMs() > 0) await recover(ctx, each, report)
    }),
  )
  return report
})

async function recover(
  ctx: Context,
  settling: Settling,
  report: { confirmed: number; cancelled: number; refused: number },
): Promise<void> {
  const invitationId = settling.invitationId.toHexString()
  try {
    const newest = await ctx.use(bookingLog).head(invitationId)
    // Somebody else was faster.
    if (!newest || !isSettling(newest)) return
    const { kind } = await settle(ctx, newest)
    if (kind === 'confirmed' || kind === 'cancelled') report[kind]++
    else report.refused++
    ctx.log.info({ invitationId, to: kind }, 'invitation recovered')
  } catch (error) {
    // Whatever it was, the next run comes again: one must not hold up the others.
    ctx.log.warn({ invitationId, err: error }, 'recovery of an invitation failed')
  }
}
