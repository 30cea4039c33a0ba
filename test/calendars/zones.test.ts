import test from 'ava'
import { dateIn, daysOf, isTimeZone } from '../../platform/lib/zone.rules.js'

const HOUR_MS = 3_600_000

/** Both changes of clocks in 2031, by day: how long it is, and when it begins. */
const CHANGES = [
  ['Europe/Berlin', '2031-03-30', 23, '2031-03-29T23:00:00.000Z'],
  ['Europe/Berlin', '2031-10-26', 25, '2031-10-25T22:00:00.000Z'],
  ['America/New_York', '2031-03-09', 23, '2031-03-09T05:00:00.000Z'],
  ['America/New_York', '2031-11-02', 25, '2031-11-02T04:00:00.000Z'],
  // By half an hour, and the other way round in the year.
  ['Australia/Lord_Howe', '2031-10-05', 23.5, '2031-10-04T13:30:00.000Z'],
  ['Australia/Lord_Howe', '2031-04-06', 24.5, '2031-04-05T13:00:00.000Z'],
  // At midnight: the day begins at 01:00.
  ['Africa/Cairo', '2031-04-25', 23, '2031-04-24T22:00:00.000Z'],
  ['Africa/Cairo', '2031-10-30', 25, '2031-10-29T21:00:00.000Z'],
] as const

for (const [timeZone, date, hours, start] of CHANGES) {
  test(`${date} in ${timeZone} has ${hours} hours`, (t) => {
    const from = new Date(Date.parse(start) - 12 * HOUR_MS)
    const to = new Date(Date.parse(start) + 40 * HOUR_MS)
    const days = daysOf({ from, to }, timeZone)
    const day = days.find((each) => each.date === date)
    t.is(day?.from.toISOString(), start)
    t.is(((day?.to.getTime() ?? 0) - (day?.from.getTime() ?? 0)) / HOUR_MS, hours)
    // Days follow each other without gap or overlap, and each instant is of the day that it is in.
    days.slice(1).forEach((next, i) => t.deepEqual(days[i]?.to, next.from))
    for (const each of days) {
      t.is(dateIn(each.from, timeZone), each.date)
      t.is(dateIn(new Date(each.to.getTime() - 1), timeZone), each.date)
      t.not(dateIn(each.to, timeZone), each.date)
    }
  })
}

test('a year has its days in every zone', (t) => {
  for (const timeZone of ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu']) {
    const [first] = daysOf({ from: new Date('2031-06-15T12:00:00Z'), to: new Date('2031-06-15T12:00:01Z') }, timeZone)
    const from = first?.from as Date
    t.is(daysOf({ from, to: new Date(from.getTime() + 365 * 24 * HOUR_MS) }, timeZone).length, 365, timeZone)
  }
})

test('zones are those of the IANA database', (t) => {
  for (const known of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5']) t.true(isTimeZone(known))
  for (const unknown of ['', 'Mars/Olympus', 'Europe/Berlin ', '+01:00', '../etc/passwd']) t.false(isTimeZone(unknown))
})
