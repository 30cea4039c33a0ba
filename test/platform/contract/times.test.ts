import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { bookings } from '../../../functions/bookings/contract.js'
import { givenTime } from '../../../platform/contract/types.js'
import { createTestSystem } from '../../support/system.js'

for (const [given, meant] of [
  ['2031-01-01T00:00:00.000Z', '2031-01-01T00:00:00.000Z'],
  ['2031-01-01T00:00:00Z', '2031-01-01T00:00:00.000Z'],
  ['2031-01-01T00:00:00.5Z', '2031-01-01T00:00:00.500Z'],
  ['2031-01-01T05:30:00.1239999+05:30', '2031-01-01T00:00:00.123Z'],
  ['2030-12-31T16:00:00-08:00', '2031-01-01T00:00:00.000Z'],
  ['2031-01-01T00:00:00-00:00', '2031-01-01T00:00:00.000Z'],
  ['2031-01-01t00:00:00z', '2031-01-01T00:00:00.000Z'],
  ['2031-01-01 00:00:00Z', '2031-01-01T00:00:00.000Z'],
  ['2032-02-29T00:00:00Z', '2032-02-29T00:00:00.000Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
  ['2017-01-01T00:59:60.9+01:00', '2017-01-01T00:00:00.000Z'],
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
] as const) {
  test(`${given} is ${meant}`, (t) => t.is(givenTime.parse(given), meant))
}

for (const given of [
  '',
  '2031-01-01',
  '2031-01-01T00:00:00',
  '2031-01-01T00:00Z',
  '2031-01-01T00:00:00.Z',
  '2031-01-01T00:00:00+0100',
  '2031-01-01T00:00:00+24:00',
  '2031-01-01T24:00:00Z',
  '2031-01-01T00:60:00Z',
  '2031-01-01T12:30:60Z',
  '2031-02-30T00:00:00Z',
  '2031-02-29T23:00:00-05:00',
  '2031-00-01T00:00:00Z',
  '+002031-01-01T00:00:00Z',
  '2031-01-01T00:00:00Z\n',
  ' 2031-01-01T00:00:00Z',
  'Wed, 01 Jan 2031 00:00:00 GMT',
  '1925000000000',
  // One that is in the years of the settings only by its own offset, or outside of what JavaScript writes in four digits.
  '1970-01-01T00:00:00+01:00',
  '2199-12-31T23:30:00-01:00',
  '0000-01-01T00:00:00+01:00',
  '9999-12-31T23:59:59-23:59',
  `2031-01-01T00:00:00.${'1'.repeat(100)}Z`,
]) {
  test(`${JSON.stringify(given.slice(0, 40))} is no time`, (t) => t.false(givenTime.safeParse(given).success))
}

const twoDigits = (n: number): string => String(n).padStart(2, '0')

testProp(
  'a moment is the same whatever the offset that it is told with',
  [
    fc.date({ min: new Date('1971-01-01'), max: new Date('2198-12-31'), noInvalidDate: true }),
    fc.integer({ min: -(24 * 60 - 1), max: 24 * 60 - 1 }),
  ],
  (t, at, minutes) => {
    const local = new Date(at.getTime() + minutes * 60_000).toISOString().slice(0, -1)
    const offset = `${twoDigits(Math.floor(Math.abs(minutes) / 60))}:${twoDigits(Math.abs(minutes) % 60)}`
    t.is(givenTime.parse(`${local}${minutes < 0 ? '-' : '+'}${offset}`), at.toISOString())
  },
)

test('a request told in another time zone is the same request', async (t) => {
  const system = await createTestSystem(t)
  const { id: carId } = await system.run(bookings.createCar, { name: 'Kombi', pricePerHour: 100 })
  const user = await system.makeUser({ balance: 1000 })
  const bookingId = system.newId()
  const first = { bookingId, carId, from: '2031-01-01T01:00:00+01:00', to: '2031-01-01T02:00:00+01:00' }
  const booked = await system.run(bookings.createBooking, first, user)
  t.like(booked, { from: '2031-01-01T00:00:00.000Z', to: '2031-01-01T01:00:00.000Z', cost: 100 })
  const again = { bookingId, carId, from: '2031-01-01T00:00:00Z', to: '2031-01-01T01:00:00.000Z' }
  t.deepEqual(await system.run(bookings.createBooking, again, user), booked)
})
