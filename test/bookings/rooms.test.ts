import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { bookings } from '../../functions/bookings/contract.js'
import {
  countNights,
  mostTaken,
  mostTakenExpression,
  nightsBetween,
  type Nights,
} from '../../functions/bookings/kinds/room/room.rules.js'
import type { Refusal } from '../../platform/contract/errors.js'
import { evaluate } from '../../proof/explore/expressions.js'
import { createTestSystem, HOUR_MS } from '../support/system.js'
import { untilMajority } from '../support/majority.js'

const day = (n: number, hour = 12): string => new Date(Date.UTC(2031, 1, n, hour)).toISOString()

test('nights across a change of clocks are counted by days', (t) => {
  const nights = (from: string, to: string, timeZone: string) => {
    const found = nightsBetween(new Date(from), new Date(to), timeZone)
    return found && countNights(found)
  }
  // 23 and 25 hours long, and a stay whose hours would round to another number of nights.
  t.is(nights('2031-03-29T22:30:00.000Z', '2031-03-30T22:30:00.000Z', 'Europe/Berlin'), 2)
  t.is(nights('2031-03-29T14:00:00.000Z', '2031-03-30T08:00:00.000Z', 'Europe/Berlin'), 1)
  t.is(nights('2031-10-25T14:00:00.000Z', '2031-10-27T22:30:00.000Z', 'Europe/Berlin'), 2)
  t.is(nights('2031-03-08T20:00:00.000Z', '2031-03-10T16:00:00.000Z', 'America/New_York'), 2)
  t.is(nights('2031-05-01T08:00:00.000Z', '2031-05-01T20:00:00.000Z', 'UTC'), 1)
  t.is(nights('9999-12-31T08:00:00.000Z', '9999-12-31T20:00:00.000Z', 'UTC'), undefined)
})

test('rooms: nights are booked, taken back, listed and never shrunk under what is booked', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 100_000 })
  const other = await system.makeUser({ balance: 100_000 })
  const { id: roomId } = await system.run(bookings.createRoom, { name: 'Double', pricePerNight: 1000, units: 2 })
  const stay = { roomId, from: day(3), to: day(6) }

  const first = await system.run(bookings.createBooking, stay, user)
  t.like(first, { roomId, cost: 3000, state: 'COMMITTED' })
  const { code, details } = await system.refused(bookings.createBooking, { ...stay, maxCost: 2999 }, other)
  t.is(code, 'price_changed')
  t.deepEqual(details, { cost: 3000 })
  await system.run(bookings.createBooking, { ...stay, from: day(5), to: day(7), maxCost: 2000 }, other)
  t.is((await system.run(bookings.getRoom, { roomId, from: day(4), to: day(6) })).free, 0)
  t.is((await system.run(bookings.getRoom, { roomId, from: day(6), to: day(8) })).free, 1)
  t.is((await system.refused(bookings.createBooking, { ...stay, from: day(5) }, user)).code, 'room_unavailable')
  t.is((await system.run(bookings.listRooms, { from: day(5), to: day(6) })).items.length, 0)
  t.is((await system.run(bookings.listRooms, { from: day(7), to: day(9) })).items.length, 1)

  const one = { roomId, version: 0, set: { units: 1 } }
  t.like(await system.refused(bookings.updateRoom, one), { code: 'room_unavailable', details: { booked: 2 } })
  await system.run(bookings.cancelBooking, { bookingId: first.id }, user)
  t.like(await system.run(bookings.updateRoom, one), { units: 1, version: 1 })
  t.is((await system.refused(bookings.updateRoom, one)).code, 'version_conflict')
  await system.run(bookings.updateRoom, { roomId, version: 1, set: { retired: true } })
  t.is((await system.refused(bookings.createBooking, stay, user)).code, 'room_retired')
  t.is((await system.refused(bookings.createBooking, { ...stay, roomId: first.id }, user)).code, 'room_not_found')
  t.is(
    (await system.refused(bookings.createRoom, { name: 'x', pricePerNight: 1, units: 1, timeZone: 'Mars' })).code,
    'invalid_input',
  )
  t.like(await system.run(bookings.auditBooks, {}), { ok: true, checked: { rooms: 1 } })

  system.clock.advance(60 * 24 * HOUR_MS)
  await untilMajority(system)
  t.true((await system.run(bookings.tidyThings, {}, null)).forgotten >= 3)
  await system.run(bookings.updateRoom, { roomId, version: 2, set: { retired: false } })
  const past = { ...stay, from: day(5), to: day(7), userId: user.userId }
  t.is((await system.refused(bookings.createBooking, past)).code, 'room_unavailable')
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
})

const night = (n: number): string => day(n).slice(0, 10)
const nights: fc.Arbitrary<Nights> = fc
  .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 4 }))
  .map(([from, length]) => ({ from: night(from), to: night(from + length) }))

/** As it is defined: night by night. */
const mostByNight = (records: readonly Nights[], asked = { from: night(1), to: night(13) }): number =>
  Math.max(
    ...Array.from({ length: 12 }, (_, i) => night(i + 1))
      .filter((each) => each >= asked.from && each < asked.to)
      .map((each) => records.filter(({ from, to }) => from <= each && to > each).length),
  )

testProp(
  'the most booked of some nights, and of all, is what night by night is found',
  [fc.array(nights, { maxLength: 20 }), fc.option(nights, { nil: undefined })],
  (t, records, asked) => {
    t.is(mostTaken(records, asked), mostByNight(records, asked))
    t.is(evaluate(mostTakenExpression(asked), { bookings: records }), mostByNight(records, asked))
  },
)

test('the server finds the same', async (t) => {
  const rooms = (await createTestSystem(t, { functions: [] })).databases.connection('bookings').collection('nights')
  const sets = fc.sample(fc.tuple(fc.array(nights, { maxLength: 20 }), nights), 40)
  await rooms.insertMany(sets.map(([bookings], number) => ({ _id: number as never, bookings })))
  for (const [number, [records, asked]] of sets.entries()) {
    const most = { some: mostTakenExpression(asked), all: mostTakenExpression() }
    const [found] = await rooms.aggregate([{ $match: { _id: number } }, { $project: most }]).toArray()
    t.is(found?.['some'], mostByNight(records, asked))
    t.is(found?.['all'], mostByNight(records))
  }
})

test('200 bookings at once of overlapping nights never pass the units, and fill them', async (t) => {
  const system = await createTestSystem(t)
  const { id: roomId } = await system.run(bookings.createRoom, { name: 'Double', pricePerNight: 10, units: 3 })
  const users = await Promise.all(Array.from({ length: 200 }, () => system.makeUser({ balance: 1000 })))
  const outcomes = await Promise.all(
    users.map(async (user, i) => {
      const stay = { from: day(1 + (i % 5)), to: day(3 + (i % 5) + (i % 3)) }
      return system.run(bookings.createBooking, { roomId, ...stay }, user).then(
        () => stay,
        (refusal: Refusal) => refusal.code,
      )
    }),
  )
  const booked = outcomes.filter((each) => typeof each !== 'string')
  t.deepEqual([...new Set(outcomes.filter((each) => typeof each === 'string'))], ['room_unavailable'])
  const nights = booked.map(({ from, to }) => ({ from: from.slice(0, 10), to: to.slice(0, 10) }))
  t.is(mostTaken(nights), 3)
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
})
