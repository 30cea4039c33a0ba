import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { overlaps } from './period.rules.js'
import { slicesOf } from '../../platform/runtime/slices.js'
import type { CalendarItem } from './calendar.model.js'
import { listedIn } from './calendar.access.js'
import { daysOf, type Day } from '../../platform/lib/zone.rules.js'
import { calendars } from './contract.js'
import { presentItem } from './invitation.presenter.js'
import { isShown } from './invitation.states.js'

/** Each looks at all items of the page: a few milliseconds together. */
const DAYS_PER_SLICE = 31

const presentDay = ({ date, from, to }: Day) => ({ date, from: from.toISOString(), to: to.toISOString() })
const idOf = ({ invitationId }: CalendarItem): string => invitationId.toHexString()

export default define(calendars.getCalendar, async (ctx, { as, timeZone, after, cursor, ...input }) => {
  if (!ctx.caller) throw new Refusal('forbidden', 'Only users have calendars.')
  const period = { from: new Date(input.from), to: new Date(input.to) }
  const listing = { as, after, cursor, ...period }
  const { items, nextCursor } = await listedIn(ctx, ctx.caller.userId, listing, ({ state }) => isShown(state))
  const days = []
  for await (const some of slicesOf(ctx, daysOf(period, timeZone), DAYS_PER_SLICE)) {
    for (const day of some) {
      const onIt = items.filter((item) => overlaps(item, day))
      if (onIt.length > 0) days.push({ ...presentDay(day), invitationIds: onIt.map(idOf) })
    }
  }
  return { items: items.map(presentItem), days, nextCursor }
})
