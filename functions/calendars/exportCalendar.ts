import ical, { ICalCalendarMethod, ICalEventStatus } from 'ical-generator'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import type { CalendarItem } from './calendar.model.js'
import { listedIn } from './calendar.access.js'
import { dateIn } from './zone.rules.js'
import { calendars } from './contract.js'

export default define(calendars.exportCalendar, async (ctx, { as, timeZone, after, ...input }) => {
  if (!ctx.caller) throw new Refusal('forbidden', 'Only users have calendars.')
  const period = { from: new Date(input.from), to: new Date(input.to) }
  const items = await listedIn(ctx, ctx.caller.userId, { as, after, ...period })

  const lastDay = dateIn(new Date(period.to.getTime() - 1), timeZone)
  const calendar = ical({
    name: `Bookings as ${as}, ${dateIn(period.from, timeZone)} to ${lastDay}`,
    prodId: { company: 'Holdfast', product: 'Calendar', language: 'EN' },
    method: ICalCalendarMethod.PUBLISH,
  })
  // The zone is for showing alone. As the generator's own `timezone` it would turn events into local times without a
  // zone; as they are they say `Z`, which no change of clocks and no table of zones can move.
  calendar.x('X-WR-TIMEZONE', timeZone)
  for (const item of items) calendar.createEvent(eventOf(item, ctx.now()))
  return { contentType: 'text/calendar' as const, text: calendar.toString() }
})

const eventOf = (item: CalendarItem, stamp: Date) => ({
  id: `${item.invitationId.toHexString()}@holdfast`,
  start: item.from,
  end: item.to,
  stamp,
  sequence: item.version,
  summary: item.note || 'Booking',
  status: item.state === 'confirmed' ? ICalEventStatus.CONFIRMED : ICalEventStatus.TENTATIVE,
  x: {
    'X-HOLDFAST-STATE': item.state,
    'X-HOLDFAST-BUYER': item.buyerId.toHexString(),
    'X-HOLDFAST-SELLER': item.sellerId.toHexString(),
    ...(item.price !== undefined && { 'X-HOLDFAST-PRICE': String(item.price) }),
  },
})
