import { define } from '../../../platform/runtime/function.js'
import { CalendarHead } from '../calendarHead.model.js'
import { calendars } from '../contract.js'

export default define(calendars.findParkedInvitations, async (ctx) => {
  // The first half is the partial index of those that are settling.
  const heads = await ctx
    .model(CalendarHead)
    .find({ 'settling.since': { $exists: true }, 'settling.retry.parked': true }, { settling: 1 })
    .lean()
  const parked = heads.flatMap(({ settling }) => settling.filter(({ retry }) => retry?.parked))
  return { parked: parked.map(({ invitationId }) => invitationId.toHexString()) }
})
