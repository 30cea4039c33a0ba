import test from 'ava'
import { Booking } from '../../functions/bookings/booking.model.js'
import { bookings } from '../../functions/bookings/contract.js'
import { feeds } from '../../functions/feeds/contract.js'
import { startDispatching } from '../../platform/events/dispatcher.js'
import type { StoredEvent } from '../../platform/events/events.js'
import { crashAt } from '../support/faults.js'
import { until } from '../../proof/support/until.js'
import { createTestSystem, HOUR_MS, START, type TestSystem } from '../support/system.js'

const hour = (n: number) => new Date(START.getTime() + (1000 + n) * HOUR_MS).toISOString()

/** What a user was told of a booking, in order. */
async function newsOf(system: TestSystem, userId: string, bookingId: string) {
  const { entries } = await system.run(feeds.readFeed, { feed: `user:${userId}`, after: 0 }, null)
  return entries
    .filter(({ data }) => data['id'] === bookingId)
    .map(({ name, data }) => `${name} ${data['state'] as string}`)
}

async function dispatching(t: { teardown(end: () => Promise<void>): void }, system: TestSystem) {
  const { stop } = await startDispatching(system)
  t.teardown(stop)
}

const outboxes = (system: TestSystem) =>
  system.model(Booking).countDocuments({ outbox: { $exists: true } }, { hint: 'outbox' })

test.serial('every change of a booking reaches its user, in order, at the price of one write a booking', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 10_000 })
  const carId = await system.makeCar()
  const collection = system.model(Booking).collection
  const updateMany = collection.updateMany.bind(collection)
  let added = 0
  system.databases.connection('bookings').collection = ((find) => (name: string) => {
    const found = find(name)
    if (name !== 'bookings') return found
    found.updateMany = async (...args: Parameters<typeof updateMany>) => {
      const result = await updateMany(...args)
      added += result.modifiedCount
      return result
    }
    return found
  })(system.databases.connection('bookings').collection.bind(system.databases.connection('bookings'))) as never
  await dispatching(t, system)

  const { id } = await system.run(bookings.createBooking, { carId, from: hour(1), to: hour(2) }, user)
  const { reversal } = await system.run(bookings.cancelBooking, { bookingId: id }, user)
  const refused = await system.refused(bookings.createBooking, { carId, from: hour(1), to: hour(100) }, user)
  const cancelled = refused.details?.['bookingId'] as string
  await until(async () => (await outboxes(system)) === 0)

  const committed = ['booking:updated COMMITTED']
  t.deepEqual(await newsOf(system, user.userId, id), committed)
  t.deepEqual(await newsOf(system, user.userId, reversal?.id as string), committed)
  t.deepEqual(await newsOf(system, user.userId, cancelled), ['booking:updated CANCELLED'])
  t.is(added, 3)
  t.is(await system.databases.connection('bookings').collection<StoredEvent>('events').countDocuments(), 0)
})

test.serial('tellBooking told twice tells once', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 10_000 })
  const carId = await system.makeCar()
  const payload = await system.run(bookings.createBooking, { carId, from: hour(1), to: hour(2) }, user)
  const event = {
    eventId: system.newId(),
    type: 'booking:committed' as const,
    aggregate: { type: 'booking', id: payload.id },
    version: 2,
    payload,
    createdAt: payload.lastModified,
  }
  await system.run(feeds.tellBooking, event, null)
  await system.run(feeds.tellBooking, event, null)
  t.deepEqual(await newsOf(system, user.userId, payload.id), ['booking:updated COMMITTED'])
})

test.serial('a booking that recovery ends has its events, each once', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 10_000 })
  const carId = await system.makeCar()
  const bookingId = system.newId()
  await crashAt(8, () => system.run(bookings.createBooking, { bookingId, carId, from: hour(1), to: hour(2) }, user))
  await dispatching(t, system)
  system.clock.advance(system.config.recovery.stuckAfterMs + 1)
  await system.run(bookings.recoverBookings, {}, null)
  await until(async () => (await outboxes(system)) === 0)
  t.deepEqual(await newsOf(system, user.userId, bookingId), ['booking:updated COMMITTED'])
  const booking = await system.model(Booking).findById(bookingId).lean()
  t.is(booking?.eventVersion, 2)
})
