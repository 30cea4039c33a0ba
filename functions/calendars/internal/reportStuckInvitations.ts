import { newsCheck, viewCheck } from '../../../platform/logs/lag.js'
import { feedProgress } from '../../../platform/logs/projection.js'
import { define } from '../../../platform/runtime/function.js'
import { BACKLOG_PAGE, BACKLOG_READ_MS, backlogCheck } from '../../../protocol/backlog.js'
import { stuckSince } from '../../../protocol/recovery.js'
import { BookingLog, bookingLog } from '../bookingLog.model.js'
import { calendarProjection } from '../calendar.projection.js'
import { CalendarHead } from '../calendarHead.model.js'
import { calendars } from '../contract.js'

const { collection } = BookingLog

export default define(calendars.reportStuckInvitations, async (ctx) => {
  const before = stuckSince(ctx)
  const heads = await ctx
    .model(CalendarHead)
    .find({ 'settling.since': { $lt: before } }, { settling: 1 })
    .limit(BACKLOG_PAGE)
    .maxTimeMS(BACKLOG_READ_MS)
    .lean()
  const unsettled = heads
    .flatMap(({ settling }) => settling)
    .filter(({ since }) => since < before)
    .map(({ since, retry }) => ({ since, parked: retry?.parked ?? false }))
  return {
    checks: [
      backlogCheck('invitations', unsettled, ctx.now()),
      await viewCheck(ctx, ctx.use(calendarProjection)),
      await newsCheck(ctx, { name: collection, log: ctx.use(bookingLog), progress: feedProgress(ctx, BookingLog) }),
    ],
  }
})
