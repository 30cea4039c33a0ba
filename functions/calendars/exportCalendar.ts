import ical, { ICalCalendarMethod, ICalEventStatus } from 'ical-generator'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { slicesOf } from '../../platform/runtime/slices.js'
import type { CalendarItem } from './calendar.model.js'
import { listedIn } from './calendar.access.js'
import { dateIn } from '../../platform/lib/zone.rules.js'
import { calendars } from './contract.js'
import type { InvitationState } from './invitation.states.js'

export default define(calendars.exportCalendar, async (ctx, { as, timeZone, after, cursor, ...input }) => {
  if (!ctx.caller) throw new Refusal('forbidden', 'Only users have calendars.')
  const period = { from: new Date(input.from), to: new Date(input.to) }
  const { items, nextCursor } = await listedIn(ctx, ctx.caller.userId, { as, after, cursor, ...period })

  const lastDay = dateIn(new Date(period.to.getTime() - 1), timeZone)
  const calendar = ical({
    name: `Bookings as ${as}, ${dateIn(period.from, timeZone)} to ${lastDay}`,
    prodId: { company: 'Holdfast', product: 'Calendar', language: 'EN' },
    method: ICalCalendarMethod.PUBLISH,
  })
  // The zone is for showing alone. As the generator's own `timezone` it would turn events into local times without a
  // zone; as they are they say `Z`, which no change of clocks and no table of zones can move.
  calendar.x('X-WR-TIMEZONE', timeZone)
  const frame = calendar.toString()
  const events: string[] = []
  for await (const some of slicesOf(ctx, items, EVENTS_PER_SLICE)) {
    calendar.clear()
    for (const item of some) calendar.createEvent(eventOf(item, ctx.now()))
    const text = calendar.toString()
    events.push(text.slice(text.indexOf(FIRST), text.lastIndexOf(LAST)))
  }
  // The generator leaves the last line without an end; every content line has one (RFC 5545, 3.1).
  const text = `${frame.trimEnd().slice(0, -LAST.length)}${events.join('')}${LAST}\r\n`
  return { contentType: 'text/calendar' as const, text, nextCursor }
})

/** Some forty milliseconds. */
const EVENTS_PER_SLICE = 50
const FIRST = 'BEGIN:VEVENT'
const LAST = 'END:VCALENDAR'

/**
 * Texts may have no control characters but tab and line feed (RFC 5545, 3.3.11). Parsers that split at whatever Unicode
 * calls a line end would take the rest of a text for a line of the calendar.
 */
const clean = (text: string): string =>
  text.replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n').replace(/(?![\t\n])\p{Cc}/gu, '')

/** An appointment stands until its cancellation is decided. */
function statusOf(state: InvitationState): ICalEventStatus {
  if (state === 'cancelled') return ICalEventStatus.CANCELLED
  return state === 'confirmed' || state === 'cancelling' ? ICalEventStatus.CONFIRMED : ICalEventStatus.TENTATIVE
}

/** The UID is the invitation's id, the SEQUENCE its version: a moved or cancelled one replaces what was exported before. */
const eventOf = (item: CalendarItem, stamp: Date) => ({
  id: `${item.invitationId.toHexString()}@holdfast`,
  start: item.from,
  end: item.to,
  stamp,
  sequence: item.version,
  summary: clean(item.note) || 'Booking',
  status: statusOf(item.state),
  x: {
    'X-HOLDFAST-STATE': item.state,
    'X-HOLDFAST-BUYER': item.buyerId.toHexString(),
    'X-HOLDFAST-SELLER': item.sellerId.toHexString(),
    ...(item.price !== undefined && { 'X-HOLDFAST-PRICE': String(item.price) }),
  },
})
