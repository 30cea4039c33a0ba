import test from 'ava'
import mongoose from 'mongoose'
import { Booking } from '../../functions/bookings/booking.model.js'
import { bookings } from '../../functions/bookings/contract.js'
import { ofStanding, STANDINGS } from '../../functions/bookings/standing.rules.js'
import { feeds } from '../../functions/feeds/contract.js'
import { startDispatching } from '../../platform/events/dispatcher.js'
import { until } from '../../proof/support/until.js'
import { crashAt } from '../support/faults.js'
import { createTestSystem, HOUR_MS, START, type TestSystem } from '../support/system.js'

const hour = (h: number): string => new Date(START.getTime() + h * HOUR_MS).toISOString()

/** Failpoints are one per process, so the tests of this file run one by one. */
async function stage(system: TestSystem) {
  const user = await system.makeUser({ balance: 10_000 })
  const carId = await system.makeCar()
  const book = (h: number) => system.run(bookings.createBooking, { carId, from: hour(h), to: hour(h + 1) }, user)
  const read = (bookingId: string) => system.run(bookings.getBooking, { bookingId }, user)
  const list = async (standing: (typeof STANDINGS)[number]) =>
    (await system.run(bookings.listBookings, { standing }, user)).items.map(({ id }) => id)
  return { user, carId, book, read, list }
}

test.serial('a booking that was taken back says so to whoever reads it alone, and in lists', async (t) => {
  const system = await createTestSystem(t)
  const { user, carId, book, read, list } = await stage(system)
  const [kept, taken] = [await book(1), await book(3)]
  t.is(kept.standing, 'active')
  const { booking, reversal } = await system.run(bookings.cancelBooking, { bookingId: taken.id }, user)
  t.like(booking, { state: 'COMMITTED', standing: 'cancelled', reversedBy: reversal?.id as string })
  t.deepEqual(await read(taken.id), booking)
  t.like(await read(reversal?.id as string), { standing: 'ended', reverses: taken.id, reversedBy: undefined })
  const late = await system.makeUser({ balance: 10_000 })
  const refused = await system.refused(bookings.createBooking, { carId, from: hour(1), to: hour(2) }, late)
  const bookingId = refused.details?.['bookingId'] as string
  t.like(await system.run(bookings.getBooking, { bookingId }), { state: 'CANCELLED', standing: 'cancelled' })

  t.deepEqual(await list('active'), [kept.id])
  t.deepEqual(await list('cancelled'), [taken.id])
  t.deepEqual(await list('ended'), [reversal?.id as string])
  system.clock.advance(2 * HOUR_MS)
  t.is((await read(kept.id)).standing, 'ended')
  t.deepEqual(await list('active'), [])
  t.deepEqual((await list('ended')).sort(), [kept.id, reversal?.id as string].sort())
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
})

for (const point of ['markOriginal.before', 'markOriginal.after']) {
  test.serial(
    `a crash at ${point}: recovery ends the reversal, and the booking says that it is cancelled`,
    async (t) => {
      const system = await createTestSystem(t)
      const { user, book, read } = await stage(system)
      const { id: bookingId } = await book(1)
      t.is(await crashAt(point, () => system.run(bookings.cancelBooking, { bookingId }, user)), point)
      t.is((await read(bookingId)).standing, point.endsWith('after') ? 'cancelled' : 'active')
      system.clock.advance(system.config.recovery.stuckAfterMs + 1)
      await system.run(bookings.recoverBookings, {}, null)
      const reversed = await read(bookingId)
      t.is(reversed.standing, 'cancelled')
      t.like(await read(reversed.reversedBy as string), { state: 'COMMITTED', reverses: bookingId })
      t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
    },
  )
}

test.serial('sockets are told the standing', async (t) => {
  const system = await createTestSystem(t)
  const { user, book } = await stage(system)
  const dispatching = await startDispatching(system)
  t.teardown(() => dispatching.stop())
  const { id: bookingId } = await book(1)
  await system.run(bookings.cancelBooking, { bookingId }, user)
  const feed = `user:${user.userId}`
  const told = await until(async () => {
    const { entries } = await system.run(feeds.readFeed, { feed, after: 0 }, null)
    return entries.length === 2 && entries.map(({ data }) => [data['state'], data['standing'], data['reverses']])
  })
  t.deepEqual(told, [
    ['COMMITTED', 'active', undefined],
    ['COMMITTED', 'ended', bookingId],
  ])
})

test.serial('the lists of what is active and of what was cancelled are short reads of a long history', async (t) => {
  const system = await createTestSystem(t)
  const { user, book } = await stage(system)
  const { id } = await book(1)
  const { collection } = system.model(Booking)
  const one = await system.model(Booking).findById(id, { outbox: 0 }).orFail().lean()
  const newId = () => new mongoose.Types.ObjectId()
  // Its last move may not be majority yet.
  const over = {
    ...one,
    state: 'COMMITTED',
    from: new Date(START.getTime() - 2 * HOUR_MS),
    to: new Date(START.getTime() - HOUR_MS),
  }
  const cost = mongoose.mongo.Long.fromNumber(one.cost)
  const history = Array.from({ length: 500 }, () => ({ ...over, cost, _id: newId() }))
  const cancelled = Array.from({ length: 3 }, () => ({ ...over, cost, _id: newId(), reversedBy: newId() }))
  await collection.insertMany([...history, ...cancelled] as never)
  const userId = new mongoose.Types.ObjectId(user.userId)
  for (const [standing, count] of [
    ['active', 1],
    ['cancelled', 3],
  ] as const) {
    const stats = (await system
      .model(Booking)
      .find({ $and: [{ $and: [ofStanding(standing, START, { userId }), {}] }, {}] } as object)
      .sort({ createdAt: -1, _id: -1 })
      .limit(51)
      .explain('executionStats')) as unknown as { executionStats: { nReturned: number; totalDocsExamined: number } }
    t.is(stats.executionStats.nReturned, count, standing)
    t.true(stats.executionStats.totalDocsExamined < 20, `${standing}: ${stats.executionStats.totalDocsExamined}`)
  }
})

test('the audit sees a booking that does not say that it was taken back, and one that says so of nothing', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 10_000 })
  const book = async (h: number) =>
    system.run(bookings.createBooking, { carId: await system.makeCar(), from: hour(h), to: hour(h + 1) }, user)
  const [taken, kept] = [await book(1), await book(2)]
  const { reversal } = await system.run(bookings.cancelBooking, { bookingId: taken.id }, user)
  const found = system.model(Booking)
  const strange = system.newId()
  await found.updateOne({ _id: taken.id }, { $unset: { reversedBy: 1 } })
  await found.updateOne({ _id: kept.id }, { $set: { reversedBy: strange } })
  const { violations } = await system.run(bookings.auditBooks, {})
  t.deepEqual(
    violations.map(({ rule, entityId, detail }) => `${rule} ${entityId}: ${detail}`).sort(),
    [
      `reversal_is_told ${taken.id}: does not say that ${reversal?.id} took it back`,
      `reversal_is_told ${kept.id}: ${strange} is no reversal of it`,
    ].sort(),
  )
})
