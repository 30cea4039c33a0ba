import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { overlaps } from './period.rules.js'
import { listedIn } from './calendar.access.js'
import { daysOf } from '../../platform/lib/zone.rules.js'
import { calendars } from './contract.js'
import { presentItem } from './invitation.presenter.js'
import { isShown } from './invitation.states.js'

export default define(calendars.getCalendar, async (ctx, { as, timeZone, after, ...input }) => {
  if (!ctx.caller) throw new Refusal('forbidden', 'Only users have calendars.')
  const period = { from: new Date(input.from), to: new Date(input.to) }
  const listed = await listedIn(ctx, ctx.caller.userId, { as, after, ...period })
  const items = listed.filter(({ state }) => isShown(state))
  const days = daysOf(period, timeZone).map((day) => ({
    date: day.date,
    from: day.from.toISOString(),
    to: day.to.toISOString(),
    invitationIds: items.filter((item) => overlaps(item, day)).map(({ invitationId }) => invitationId.toHexString()),
  }))
  return { items: items.map(presentItem), days: days.filter(({ invitationIds }) => invitationIds.length > 0) }
})
