import test from 'ava'
import mongoose from 'mongoose'
import { Booking } from '../../functions/bookings/booking.model.js'
import { bookings } from '../../functions/bookings/contract.js'
import { users } from '../../functions/users/contract.js'
import { User } from '../../functions/users/user.model.js'
import { onFailpoint } from '../../platform/lib/failpoints.js'
import { crashAt } from '../support/faults.js'
import { untilMajority } from '../support/majority.js'
import { createTestSystem, HOUR_MS, START, type TestSystem } from '../support/system.js'
import { until } from '../../proof/support/until.js'

const { ObjectId } = mongoose.Types
const at = (hour: number): string => new Date(START.getTime() + hour * HOUR_MS).toISOString()
async function tidy(system: TestSystem) {
  await untilMajority(system)
  return system.run(users.tidyUsers, {}, null)
}
const storedOf = (system: TestSystem, userId: string) => system.model(User).findById(userId).lean()

async function assertBooks(system: TestSystem): Promise<void> {
  const { ok, violations } = await system.run(bookings.auditBooks, {})
  if (!ok) throw new Error(JSON.stringify(violations))
}

test.serial('what is final and more than a day old is forgotten, in the update that raises the mark', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 1000 })
  const { userId } = user
  const carId = await system.makeCar({ pricePerHour: 100 })
  const kept = await system.run(bookings.createBooking, { carId, from: at(-4), to: at(-3), userId })
  const back = await system.run(bookings.createBooking, { carId, from: at(-2), to: at(-1), userId })
  await system.run(bookings.cancelBooking, { bookingId: back.id })
  const upcoming = await system.run(bookings.createBooking, { carId, from: at(100), to: at(101) }, user)
  await system.refused(users.withdrawFunds, { userId, amount: 5000 })
  t.like(await storedOf(system, userId), {
    bookings: { length: 2 },
    tombstones: { length: 2 },
    transfers: { length: 1 },
    voidedTransfers: { length: 1 },
  })

  // Not a moment too early.
  system.clock.advance(24 * HOUR_MS)
  t.like(await tidy(system), { forgotten: 0 })
  t.like(await storedOf(system, userId), { forgottenBefore: new Date(0), bookings: { length: 2 } })

  system.clock.advance(1)
  const today = await system.run(bookings.createBooking, { carId, from: at(30), to: at(31) }, user)
  t.like(await tidy(system), { forgotten: 5 })
  t.like(await storedOf(system, userId), {
    bookings: [new ObjectId(upcoming.id), new ObjectId(today.id)],
    pendingBookings: [],
    tombstones: [],
    transfers: [],
    voidedTransfers: [],
    forgottenBefore: new Date(START.getTime() + 1),
    balance: 700,
  })
  t.like(await tidy(system), { forgotten: 0 })
  await assertBooks(system)

  // What is forgotten still answers, and can still be taken back.
  t.is((await system.run(bookings.getBooking, { bookingId: kept.id }, user)).state, 'COMMITTED')
  await system.run(bookings.cancelBooking, { bookingId: kept.id })
  t.is((await storedOf(system, userId))?.balance, 800)
  await assertBooks(system)
})

test.serial('a transfer that is still pending keeps the whole user as they are', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser({ balance: 1000 })
  t.is(await crashAt(4, () => system.run(users.depositFunds, { userId, amount: 1 })), 'transfer.settle.before')
  system.clock.advance(48 * HOUR_MS)
  t.like(await tidy(system), { forgotten: 0 })
  t.like(await storedOf(system, userId), { transfers: { length: 2 }, forgottenBefore: new Date(0) })
  await system.run(users.recoverTransfers, {}, null)
  t.like(await tidy(system), { forgotten: 2 })
})

for (const point of ['applyUser.after', 'APPLIED.after', 'insert.after'] as const) {
  test.serial(`a booking that stands still at ${point} keeps the mark down`, async (t) => {
    const system = await createTestSystem(t)
    const user = await system.makeUser({ balance: 1000 })
    const carId = await system.makeCar({ pricePerHour: 100 })
    const book = () => system.run(bookings.createBooking, { carId, from: at(1), to: at(2) }, user)
    await crashAtPoint(point, book)
    // The insert alone is not waited for: a majority read sees it within one journal flush.
    const stuck = await until(() => system.model(Booking).findOne().lean())
    t.not(stuck.state, 'COMMITTED')

    system.clock.advance(48 * HOUR_MS)
    t.like(await tidy(system), { forgotten: 0 })
    t.like(await storedOf(system, user.userId), { transfers: { length: 1 }, forgottenBefore: new Date(0) })

    await system.run(bookings.recoverBookings, {})
    t.true((await tidy(system)).forgotten >= 1)
    t.like(await storedOf(system, user.userId), { transfers: [], bookings: [], balance: 900 })
    await assertBooks(system)
  })
}

test.serial('leftover pending markers of final bookings are cleared, others stay', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 1000 })
  const other = await system.makeUser({ balance: 1000 })
  const carId = await system.makeCar({ pricePerHour: 100 })
  const done = await system.run(bookings.createBooking, { carId, from: at(1), to: at(2) }, user)
  await system.model(User).updateOne({ _id: user.userId }, { $push: { pendingBookings: new ObjectId(done.id) } })
  await crashAtPoint('applyUser.after', () =>
    system.run(bookings.createBooking, { carId, from: at(3), to: at(4) }, other),
  )

  t.like(await tidy(system), { cleared: 1 })
  t.like(await storedOf(system, user.userId), { pendingBookings: [], bookings: { length: 1 } })
  t.like(await storedOf(system, other.userId), { pendingBookings: { length: 1 } })
  await assertBooks(system)
})

test.serial('a sweep over more users than fit a page reaches all of them, and runs beside another', async (t) => {
  const system = await createTestSystem(t)
  const made: string[] = []
  for (let i = 0; i < 21; i++) {
    const batch = await Promise.all(Array.from({ length: 10 }, () => system.makeUser({ balance: 10 })))
    made.push(...batch.map(({ userId }) => userId))
  }
  system.clock.advance(25 * HOUR_MS)
  const reports = await Promise.all([tidy(system), tidy(system)])
  t.true(reports.reduce((sum, { forgotten }) => sum + forgotten, 0) >= made.length)
  t.is(await system.model(User).countDocuments({ 'transfers.0': { $exists: true } }, { hint: '_id_' }), 0)
  t.is(await system.model(User).countDocuments({ balance: 10 }, { hint: '_id_' }), made.length)
  await assertBooks(system)
})

/** Crashes where a point is passed for the first time. */
async function crashAtPoint(name: string, run: () => Promise<unknown>): Promise<void> {
  let crashed = false
  onFailpoint((passed) => {
    crashed ||= passed === name
    if (crashed) throw new Error(`crash at ${name}`)
  })
  try {
    await run().catch(() => {})
  } finally {
    onFailpoint(null)
  }
  if (!crashed) throw new Error(`${name} was never passed`)
}
