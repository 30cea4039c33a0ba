import test from 'ava'
import { bookings } from '../../functions/bookings/contract.js'
import { users } from '../../functions/users/contract.js'
import type { Refusal } from '../../platform/contract/errors.js'
import { until } from '../../proof/support/until.js'
import { admin, createTestSystem, HOUR_MS, START, type TestSystem } from '../support/system.js'
import { untilMajority } from '../support/majority.js'

const at = (hour: number): string => new Date(START.getTime() + hour * HOUR_MS).toISOString()
const NOBODY = 'ffffffffffffffffffffffff'

const balanceOf = async (system: TestSystem, userId: string): Promise<number> =>
  (await system.run(users.getUser, { userId })).balance

test('a booking takes its cost, started hours times price', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 10_000 })
  const carId = await system.makeCar({ pricePerHour: 1500 })

  const booking = await system.run(
    bookings.createBooking,
    { carId, from: at(1), to: new Date(START.getTime() + 3 * HOUR_MS + 1).toISOString() },
    user,
  )

  t.like(booking, { userId: user.userId, carId, cost: 4500, state: 'COMMITTED', from: at(1) })
  const after = await system.run(users.getUser, { userId: user.userId }, user)
  t.like(after, { balance: 5500, bookings: [booking.id] })
  // The clear waits for the primary alone, so a majority read may see the marker for a moment longer.
  await until(async () => (await system.run(users.getUser, { userId: user.userId })).pendingBookings?.length === 0)
  t.deepEqual(await system.run(bookings.getBooking, { bookingId: booking.id }, user), booking)
  t.deepEqual(await system.run(bookings.listBookings, {}, user), { items: [booking], nextCursor: null })
  t.like(await system.run(bookings.auditBooks, {}), { ok: true, checked: { users: 1, cars: 1, bookings: 1 } })
})

/** From the most to the least broken request: each row mends one defect of the row before, so it shows which comes first. */
test('the errors of createBooking come in the documented order', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser()
  const other = await system.makeUser({ balance: 50_000 })
  const rich = await system.makeUser({ balance: 50_000 })
  const retiredId = await system.makeCar()
  await system.run(bookings.updateCar, { carId: retiredId, version: 0, set: { retired: true } })
  const carId = await system.makeCar({ pricePerHour: 1000 })
  const taken = await system.run(bookings.createBooking, { carId, from: at(4), to: at(8) }, other)

  const rows = [
    ['forbidden', { bookingId: taken.id, carId: NOBODY, from: at(7), to: at(9), userId: other.userId }, user],
    ['booking_id_reused', { bookingId: taken.id, carId: NOBODY, from: at(7), to: at(9) }, user],
    ['car_not_found', { carId: NOBODY, from: at(7), to: at(9), userId: NOBODY }, admin],
    ['car_retired', { carId: retiredId, from: at(7), to: at(9), userId: NOBODY }, admin],
    ['user_not_found', { carId, from: at(7), to: at(9), userId: NOBODY }, admin],
    ['insufficient_funds', { carId, from: at(7), to: at(9) }, user],
    ['car_unavailable', { carId, from: at(7), to: at(9) }, rich],
  ] as const
  for (const [code, input, caller] of rows)
    t.is((await system.refused(bookings.createBooking, input, caller)).code, code)

  await system.run(users.depositFunds, { userId: user.userId, amount: 1000 })
  t.is((await system.run(bookings.createBooking, { carId, from: at(8), to: at(9) }, user)).state, 'COMMITTED')
  t.true((await system.run(bookings.auditBooks, {})).ok)
})

test('broken input of bookings is refused with the failing path, and nothing is stored', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 5000 })
  const carId = await system.makeCar()
  const good = { carId, from: at(1), to: at(2) }
  const rows: [string, object][] = [
    ['to', { ...good, from: at(2), to: at(1) }],
    ['to', { ...good, to: at(1) }],
    ['from', { ...good, from: '2031-01-01' }],
    ['from', { ...good, from: 1 }],
    ['carId', { ...good, carId: { $ne: null } }],
    ['carId', { ...good, carId: 'AAAAAAAAAAAAAAAAAAAAAAAA' }],
    ['', { ...good, price: 1 }],
    ['bookingId', { ...good, bookingId: '1' }],
  ]
  for (const [path, input] of rows) {
    const { code, details } = await system.refused(bookings.createBooking, input as never, user)
    t.is(code, 'invalid_input')
    t.true(
      (details?.['issues'] as { path: string }[]).some((issue) => issue.path === path),
      JSON.stringify(details),
    )
  }
  t.deepEqual(await system.run(bookings.listBookings, {}), { items: [], nextCursor: null })
  t.is(await balanceOf(system, user.userId), 5000)
})

test('periods may touch, and may not overlap', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 100_000 })
  const carId = await system.makeCar()
  const book = (from: number, to: number) =>
    system.run(bookings.createBooking, { carId, from: at(from), to: at(to) }, user)
  await book(4, 8)
  await book(8, 9)
  await book(1, 4)
  for (const [from, to] of [
    [4, 8],
    [5, 6],
    [3, 5],
    [7, 9],
    [0, 20],
  ] as const) {
    t.is(
      (await t.throwsAsync(book(from, to), { name: 'Refusal' }))?.message,
      'The car is booked for an overlapping period, or retired.',
    )
  }
  const { busy } = await system.run(bookings.getCar, { carId, from: at(5), to: at(9) }, user)
  t.deepEqual(busy, [
    { from: at(4), to: at(8) },
    { from: at(8), to: at(9) },
  ])
  t.deepEqual((await system.run(bookings.listCars, { from: at(7), to: at(10) }, user)).items, [])
  t.is((await system.run(bookings.listCars, { from: at(9), to: at(10) }, user)).items.length, 1)
})

test('the same booking sent again answers the first outcome, a refusal too', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 2000 })
  const carId = await system.makeCar({ pricePerHour: 1000 })
  const input = { bookingId: system.newId(), carId, from: at(1), to: at(3) }
  const first = await system.run(bookings.createBooking, input, user)
  const [again, ...more] = await Promise.all(
    Array.from({ length: 5 }, () => system.run(bookings.createBooking, input, user)),
  )
  for (const each of [again, ...more]) t.deepEqual(each, { ...first, lastModified: each?.lastModified ?? '' })

  const poor = { bookingId: system.newId(), carId, from: at(5), to: at(6) }
  t.is((await system.refused(bookings.createBooking, poor, user)).code, 'insufficient_funds')
  await system.run(users.depositFunds, { userId: user.userId, amount: 5000 })
  t.is((await system.refused(bookings.createBooking, poor, user)).code, 'insufficient_funds')

  const stranger = await system.makeUser({ balance: 5000 })
  const late = { bookingId: system.newId(), carId, from: at(2), to: at(4) }
  const other = { bookingId: system.newId(), carId, from: at(4), to: at(5) }
  t.is((await system.refused(bookings.createBooking, late, stranger)).code, 'car_unavailable')
  const { id } = await system.run(bookings.createBooking, other, stranger)
  await system.run(bookings.cancelBooking, { bookingId: id }, stranger)
  t.is((await system.refused(bookings.createBooking, late, stranger)).code, 'car_unavailable')

  t.is((await system.refused(bookings.createBooking, { ...input, to: at(4) }, user)).code, 'booking_id_reused')
  t.is((await system.refused(bookings.createBooking, input, stranger)).code, 'booking_id_reused')

  // What was true then need not be true now.
  await system.run(bookings.updateCar, { carId, version: 0, set: { retired: true } })
  t.is((await system.run(bookings.createBooking, input, user)).id, first.id)
  t.is(await balanceOf(system, user.userId), 5000)
})

test('the same booking sent at once by many is one booking', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 2000 })
  const carId = await system.makeCar({ pricePerHour: 1000 })
  const input = { bookingId: system.newId(), carId, from: at(1), to: at(3) }
  const all = await Promise.all(Array.from({ length: 20 }, () => system.run(bookings.createBooking, input, user)))
  t.deepEqual(new Set(all.map(({ id, state }) => `${id} ${state}`)), new Set([`${input.bookingId} COMMITTED`]))
  t.is(await balanceOf(system, user.userId), 0)
  t.true((await system.run(bookings.auditBooks, {})).ok)
})

test('of many bookings of one user at once, those that meet another one outstanding are told which', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 100_000 })
  const carId = await system.makeCar({ pricePerHour: 1000 })
  const outcomes = await Promise.allSettled(
    Array.from({ length: 10 }, (_, i) =>
      system.run(bookings.createBooking, { carId, from: at(2 * i), to: at(2 * i + 1) }, user),
    ),
  )
  const booked = outcomes.filter(({ status }) => status === 'fulfilled').length
  t.true(booked >= 1)
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') {
      const refusal = outcome.reason as Refusal
      t.is(refusal.code, 'booking_outstanding')
      t.regex(String(refusal.details?.['bookingId']), /^[0-9a-f]{24}$/)
    }
  }
  t.is(await balanceOf(system, user.userId), 100_000 - booked * 1000)
  t.true((await system.run(bookings.auditBooks, {})).ok)
})

test('a hundred users want the same car at overlapping times: one gets each hour', async (t) => {
  const system = await createTestSystem(t)
  const everyone = await Promise.all(Array.from({ length: 100 }, () => system.makeUser({ balance: 1000 })))
  const carId = await system.makeCar({ pricePerHour: 1000 })
  const outcomes = await Promise.allSettled(
    everyone.map((user, i) =>
      system.run(bookings.createBooking, { carId, from: at(i % 10), to: at((i % 10) + 1) }, user),
    ),
  )
  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 10)
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') t.is((outcome.reason as Refusal).code, 'car_unavailable')
  const audit = await system.run(bookings.auditBooks, {})
  t.deepEqual(audit.violations, [])
  t.deepEqual(audit.checked, { users: 100, cars: 1, rooms: 0, trains: 0, bookings: 100 })
})

test('a cancellation gives the money and the car back, once', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 3000 })
  const carId = await system.makeCar({ pricePerHour: 1000 })
  const input = { bookingId: system.newId(), carId, from: at(1), to: at(3) }
  const { id: bookingId } = await system.run(bookings.createBooking, input, user)

  const cancelled = await system.run(bookings.cancelBooking, { bookingId }, user)
  t.like(cancelled.reversal, {
    state: 'COMMITTED',
    reverses: bookingId,
    userId: user.userId,
    carId,
    cost: 2000,
    from: at(1),
    to: at(3),
  })
  t.is(cancelled.booking.state, 'COMMITTED')
  t.is(await balanceOf(system, user.userId), 3000)

  const again = await Promise.all(
    Array.from({ length: 5 }, () => system.run(bookings.cancelBooking, { bookingId }, user)),
  )
  for (const each of again) t.is(each.reversal?.id, cancelled.reversal?.id)
  t.is(await balanceOf(system, user.userId), 3000)
  t.is((await system.run(bookings.createBooking, input, user)).state, 'COMMITTED', 'the first outcome, still')

  const reversalId = cancelled.reversal?.id ?? ''
  t.is((await system.refused(bookings.cancelBooking, { bookingId: reversalId })).code, 'booking_not_cancellable')
  t.is((await system.run(bookings.createBooking, { carId, from: at(1), to: at(3) }, user)).state, 'COMMITTED')
  const { items } = await system.run(users.listLedger, { userId: user.userId }, user)
  t.deepEqual(
    items.map(({ cause, change, balanceAfter }) => [cause, change, balanceAfter]),
    [
      ['booking', -2000, 1000],
      ['reversal', 2000, 3000],
      ['booking', -2000, 1000],
      ['deposit', 3000, 3000],
    ],
  )
  t.true((await system.run(bookings.auditBooks, {})).ok)
})

test('a refund always fits: what a booking holds counts towards the limit of deposits', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: Number.MAX_SAFE_INTEGER })
  const carId = await system.makeCar({ pricePerHour: 1000 })
  const { id: bookingId } = await system.run(bookings.createBooking, { carId, from: at(1), to: at(2) }, user)
  const deposit = await system.refused(users.depositFunds, { userId: user.userId, amount: 1 })
  t.is(deposit.code, 'balance_limit_exceeded')
  await system.run(bookings.cancelBooking, { bookingId }, user)
  t.is(await balanceOf(system, user.userId), Number.MAX_SAFE_INTEGER)
})

test('who may cancel, and until when', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 3000 })
  const stranger = await system.makeUser()
  const carId = await system.makeCar({ pricePerHour: 1000 })
  const { id: bookingId } = await system.run(bookings.createBooking, { carId, from: at(1), to: at(3) }, user)

  t.is((await system.refused(bookings.cancelBooking, { bookingId: NOBODY }, user)).code, 'booking_not_found')
  t.is((await system.refused(bookings.cancelBooking, { bookingId }, stranger)).code, 'booking_not_found')
  t.is((await system.refused(bookings.getBooking, { bookingId }, stranger)).code, 'booking_not_found')
  t.is((await system.refused(bookings.listBookings, { userId: user.userId }, stranger)).code, 'forbidden')
  system.clock.advance(HOUR_MS)
  t.is((await system.refused(bookings.cancelBooking, { bookingId }, user)).code, 'booking_started')
  t.is((await system.run(bookings.cancelBooking, { bookingId })).reversal?.state, 'COMMITTED')
  t.is(await balanceOf(system, user.userId), 3000)
})

test('cars: idempotent creation, guarded updates, lists by page', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser()
  const carId = system.newId()
  const input = { carId, name: 'Kombi', pricePerHour: 1000 }
  const car = await system.run(bookings.createCar, input)
  t.deepEqual(await system.run(bookings.createCar, input), car)
  t.is((await system.refused(bookings.createCar, { ...input, pricePerHour: 1 })).code, 'car_id_reused')
  for (const pricePerHour of [-1, 0.5, 1_000_000_000_001, Number.MAX_SAFE_INTEGER + 1, Number.NaN]) {
    t.is((await system.refused(bookings.createCar, { name: 'bad', pricePerHour })).code, 'invalid_input')
  }

  const updated = await system.run(bookings.updateCar, { carId, version: 0, set: { name: 'Van' } })
  t.like(updated, { name: 'Van', pricePerHour: 1000, version: 1 })
  const stale = await system.refused(bookings.updateCar, { carId, version: 0, set: { name: 'Bus' } })
  t.is(stale.code, 'version_conflict')
  t.deepEqual(stale.details, { version: 1 })
  t.is(
    (await system.refused(bookings.updateCar, { carId: NOBODY, version: 0, set: { name: 'x' } })).code,
    'car_not_found',
  )
  t.is((await system.refused(bookings.getCar, { carId: NOBODY }, user)).code, 'car_not_found')

  for (let i = 0; i < 4; i++) await system.makeCar()
  const seen: string[] = []
  let cursor: string | null | undefined
  do {
    const page = await system.run(bookings.listCars, { limit: 2, ...(cursor && { cursor }) }, user)
    seen.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  } while (cursor)
  t.is(seen.length, 5)
  t.is(new Set(seen).size, 5)
  t.false('bookings' in (await system.run(bookings.getCar, { carId }, user)), 'who booked it is for admins')
})

test('findSettledBookings tells what is final, and what is over', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 9000 })
  const carId = await system.makeCar({ pricePerHour: 1000 })
  const past = await system.run(bookings.createBooking, { carId, from: at(1), to: at(2) }, user)
  const upcoming = await system.run(bookings.createBooking, { carId, from: at(100), to: at(101) }, user)
  const bookingIds = [past.id, upcoming.id, NOBODY]
  await untilMajority(system)
  t.deepEqual(await system.run(bookings.findSettledBookings, { bookingIds }, null), { settled: [past.id, upcoming.id] })
  t.deepEqual(await system.run(bookings.findSettledBookings, { bookingIds, before: at(50) }, null), {
    settled: [past.id],
  })
})

test('after a day cars and users forget what ended, late writes stay fenced off, and old bookings can still be reversed', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 9000 })
  const carId = await system.makeCar({ pricePerHour: 1000 })
  const old = await system.run(bookings.createBooking, { carId, from: at(1), to: at(2) }, user)
  const taken = await system.run(bookings.createBooking, { carId, from: at(2), to: at(3) }, user)
  await system.run(bookings.cancelBooking, { bookingId: taken.id }, user)

  system.clock.advance(30 * HOUR_MS)
  await untilMajority(system)
  t.like(await system.run(bookings.tidyThings, {}, null), { forgotten: 3 })
  await system.run(users.tidyUsers, {}, null)
  t.deepEqual((await system.run(users.getUser, { userId: user.userId })).bookings, [])
  t.deepEqual((await system.run(bookings.getCar, { carId })).bookings, [])
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])

  // What was there is forgotten, not free: nobody records a second booking of that time.
  const again = { carId, from: at(1), to: at(2) }
  t.is((await system.refused(bookings.createBooking, again, user)).code, 'booking_started')
  const recorded = { ...again, userId: user.userId }
  t.is((await system.refused(bookings.createBooking, recorded)).code, 'car_unavailable')

  t.is((await system.run(bookings.cancelBooking, { bookingId: old.id })).reversal?.state, 'COMMITTED')
  t.is(await balanceOf(system, user.userId), 9000)
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
})

test('a booking lasts at most a year and a day, and one that cost nothing is cancelled also after it has begun', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser()
  const carId = await system.makeCar({ pricePerHour: 0 })
  const from = new Date(START.getTime() + HOUR_MS).toISOString()
  const until = (days: number) => new Date(Date.parse(from) + days * 24 * HOUR_MS).toISOString()
  const refused = await system.refused(bookings.createBooking, { carId, from, to: until(367) }, user)
  t.is(refused.code, 'invalid_input')
  t.deepEqual(refused.details, { issues: [{ path: 'to', message: 'at most 366 days' }] })
  const booking = await system.run(bookings.createBooking, { carId, from, to: until(366) }, user)
  system.clock.advance(2 * HOUR_MS)
  const { reversal } = await system.run(bookings.cancelBooking, { bookingId: booking.id }, user)
  t.is(reversal?.state, 'COMMITTED')
  const next = { carId, from: new Date(system.now().getTime() + HOUR_MS).toISOString(), to: until(2) }
  t.is((await system.run(bookings.createBooking, next, user)).state, 'COMMITTED')
})
