import test from 'ava'
import ICAL from 'ical.js'
import { calendars } from '../../functions/calendars/contract.js'
import { calendarProjection } from '../../functions/calendars/calendar.projection.js'
import { createTestSystem } from '../support/system.js'

/** Around both changes of clocks of three zones, and notes that try the syntax. */
const BOOKINGS = [
  ['2031-03-30T00:30:00.000Z', '2031-03-30T02:30:00.000Z', 'Before and after 02:00 in Berlin'],
  ['2031-10-26T00:30:00.000Z', '2031-10-26T01:30:00.000Z', 'From the first 02:30 to the second'],
  ['2031-03-09T06:00:00.000Z', '2031-03-09T08:00:00.000Z', 'New York, spring'],
  ['2031-11-02T05:30:00.000Z', '2031-11-02T06:30:00.000Z', 'New York, 01:30 twice'],
  ['2031-04-05T14:45:00.000Z', '2031-04-05T15:15:00.000Z', 'Lord Howe, autumn'],
  ['2031-10-04T15:15:00.000Z', '2031-10-04T15:45:00.000Z', 'Lord Howe, spring'],
  ['2031-05-31T22:00:00.000Z', '2031-06-01T10:00:00.000Z', 'Across; months, with "quotes"\nand lines'],
  [
    '2031-06-10T10:00:00.000Z',
    '2031-06-10T10:00:00.001Z',
    `BEGIN:VEVENT\r\nDTSTART:20000101T000000Z ${'é'.repeat(200)}`,
  ],
] as const

test('a parser reads the exported calendar back to the same bookings, whatever the zone', async (t) => {
  const system = await createTestSystem(t)
  const [buyer, seller] = [await system.makeUser({ balance: 100 }), await system.makeUser()]
  for (const [i, [from, to, note]] of BOOKINGS.entries()) {
    const { id } = await system.run(
      calendars.inviteToBooking,
      { sellerId: seller.userId, from, to, note, ...(i === 0 && { price: 100 }) },
      buyer,
    )
    if (i % 2 === 0) await system.run(calendars.confirmInvitation, { invitationId: id }, seller)
  }
  while ((await system.use(calendarProjection).advance()) > 0);

  const range = { from: '2031-01-01T00:00:00.000Z', to: '2031-12-31T00:00:00.000Z', as: 'seller' } as const
  for (const timeZone of ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']) {
    const { items } = await system.run(calendars.getCalendar, { ...range, timeZone }, seller)
    const { text, contentType } = await system.run(calendars.exportCalendar, { ...range, timeZone }, seller)
    t.is(contentType, 'text/calendar')
    t.true(
      text.split('\r\n').every((line) => Buffer.byteLength(line) <= 75),
      'lines are folded',
    )
    const calendar = new ICAL.Component(ICAL.parse(text) as unknown[])
    t.is(calendar.getFirstPropertyValue('x-wr-timezone'), timeZone)
    const read = calendar.getAllSubcomponents('vevent').map((component) => {
      const event = new ICAL.Event(component)
      return {
        id: event.uid.replace(/@.*/, ''),
        from: event.startDate.toJSDate().toISOString(),
        to: event.endDate.toJSDate().toISOString(),
        note: event.summary,
        confirmed: component.getFirstPropertyValue('status') === 'CONFIRMED',
        version: event.sequence,
      }
    })
    // iCalendar knows seconds; line ends in texts are line feeds.
    t.deepEqual(
      read,
      items.map(({ id, from, to, note, state, version }) => ({
        id,
        from,
        to: to.replace('.001Z', '.000Z'),
        note: note.replace('\r\n', '\n'),
        confirmed: state === 'confirmed',
        version,
      })),
    )
    t.is(read.length, BOOKINGS.length)
  }
})

test('the days of the calendar are those of the zone, also where clocks change', async (t) => {
  const system = await createTestSystem(t)
  const [buyer, seller] = [await system.makeUser(), await system.makeUser()]
  const invite = (from: string, to: string) =>
    system.run(calendars.inviteToBooking, { sellerId: seller.userId, from, to, note: '' }, buyer)
  const shown = async (timeZone: string, from: string, to: string) => {
    while ((await system.use(calendarProjection).advance()) > 0);
    const { days } = await system.run(calendars.getCalendar, { from, to, as: 'buyer', timeZone }, buyer)
    return days.map(({ date, invitationIds }) => [date, invitationIds.length])
  }
  // The last half hour of the short day and the first of the next one, in Berlin; then of the long day.
  await invite('2031-03-30T21:30:00.000Z', '2031-03-30T22:30:00.000Z')
  await invite('2031-10-26T22:30:00.000Z', '2031-10-26T23:30:00.000Z')
  const march = ['2031-03-01T00:00:00.000Z', '2031-04-01T00:00:00.000Z'] as const
  const october = ['2031-10-01T00:00:00.000Z', '2031-11-01T00:00:00.000Z'] as const
  t.deepEqual(await shown('Europe/Berlin', ...march), [
    ['2031-03-30', 1],
    ['2031-03-31', 1],
  ])
  t.deepEqual(await shown('Europe/Berlin', ...october), [
    ['2031-10-26', 1],
    ['2031-10-27', 1],
  ])
  t.deepEqual(await shown('UTC', ...march), [['2031-03-30', 1]])
  t.deepEqual(await shown('America/New_York', ...october), [['2031-10-26', 1]])
  t.deepEqual(await shown('Australia/Lord_Howe', ...march), [['2031-03-31', 1]])
})
