import test, { type ExecutionContext } from 'ava'
import { bookings } from '../../functions/bookings/contract.js'
import { FeedEntry } from '../../functions/feeds/feedEntry.model.js'
import { lobbies } from '../../functions/lobbies/contract.js'
import { trains } from '../../functions/trains/contract.js'
import { Train } from '../../functions/trains/train.model.js'
import { users } from '../../functions/users/contract.js'
import type { Caller } from '../../platform/contract/caller.js'
import { startDispatching } from '../../platform/events/dispatcher.js'
import { until } from '../../proof/support/until.js'
import { crashAt, pointsOf } from '../support/faults.js'
import { admin, createTestSystem, HOUR_MS, START, type TestSystem, type TestSystemOptions } from '../support/system.js'
import { bookSeats, makeTrain, settled } from './support.js'

/** Trains that move, shrink, or do not go at all. */

const at = (hours: number): string => new Date(START.getTime() + hours * HOUR_MS).toISOString()

const trainAt = async (system: TestSystem, hours: number, seats = 10): Promise<string> =>
  (
    await system.run(trains.createTrain, {
      route: 'A - B',
      departureTime: at(hours),
      arrivalTime: at(hours + 4),
      availableSeats: seats,
      pricePerSeat: 1000,
    })
  ).id

const move = async (system: TestSystem, trainId: string, hours: number) => {
  const { version } = await system.run(trains.getTrain, { trainId })
  const set = { departureTime: at(hours), arrivalTime: at(hours + 4) }
  return system.run(trains.updateTrain, { trainId, version, set })
}

const balanceOf = async (system: TestSystem, { userId }: Caller): Promise<number> =>
  (await system.run(users.getUser, { userId })).balance

/** With the events of trains delivered. */
async function createSystem(t: ExecutionContext, options: TestSystemOptions = {}): Promise<TestSystem> {
  const system = await createTestSystem(t, options)
  const dispatching = await startDispatching(system, [bookings.announceTrain, bookings.refundCalledOffTrain])
  t.teardown(() => dispatching.stop())
  return system
}

const told = async (system: TestSystem, { userId }: Caller, name: string) =>
  (
    await system
      .model(FeedEntry)
      .find({ feed: `user:${userId}` })
      .sort({ seq: 1 })
      .lean()
  )
    .filter((entry) => entry.name === name)
    .map(({ data }) => data)

test('until when a booking can be cancelled is judged by the train as it goes by now', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 5000 })
  const earlier = await trainAt(system, 2)
  const gone = await bookSeats(system, user, earlier, ['A'])
  await move(system, earlier, -1)
  t.is((await system.refused(bookings.cancelBooking, { bookingId: gone.id }, user)).code, 'booking_started')
  t.is(await balanceOf(system, user), 4000)

  const later = await trainAt(system, 2)
  const still = await bookSeats(system, user, later, ['A'])
  await move(system, later, 26)
  system.clock.advance(3 * HOUR_MS)
  await system.run(bookings.cancelBooking, { bookingId: still.id }, user)
  t.is(await balanceOf(system, user), 4000)
  t.like(await system.run(bookings.cancelBooking, { bookingId: gone.id }, admin), { reversal: { state: 'COMMITTED' } })
})

test('seats of a train that has left are booked by admins alone, who record what was', async (t) => {
  const system = await createSystem(t)
  const user = await system.makeUser({ balance: 3000 })
  const trainId = await trainAt(system, 1)
  system.clock.advance(2 * HOUR_MS)
  const booking = { trainId, passengers: [{ name: 'Ada' }] }
  t.is((await system.refused(bookings.startBooking, booking, user)).code, 'booking_started')
  t.is(await balanceOf(system, user), 3000)
  const { bookingId } = await system.run(bookings.startBooking, { ...booking, userId: user.userId })
  t.like(await settled(system, bookingId), { state: 'COMMITTED' })
})

test('with a notice: a train that moved by more than the tolerance can be cancelled without it', async (t) => {
  const env = { TRAIN_CANCEL_NOTICE_MS: String(HOUR_MS), TRAIN_FREE_CANCEL_AFTER_MS: String(HOUR_MS / 2) }
  const system = await createTestSystem(t, { env })
  const user = await system.makeUser({ balance: 5000 })
  const [moved, hardly] = [await trainAt(system, 4), await trainAt(system, 4)]
  const [one, other] = [await bookSeats(system, user, moved, ['A']), await bookSeats(system, user, hardly, ['A'])]
  await move(system, moved, 4.6)
  await move(system, hardly, 4.5)
  system.clock.advance(3.8 * HOUR_MS)
  const refusal = await system.refused(bookings.cancelBooking, { bookingId: other.id }, user)
  t.is(refusal.code, 'cancellation_too_late')
  t.deepEqual(refusal.details, { until: at(3.5) })
  await system.run(bookings.cancelBooking, { bookingId: one.id }, user)
  t.is(await balanceOf(system, user), 4000)
})

test('passengers are told of each change of their journey, once, and of nothing else', async (t) => {
  const system = await createSystem(t)
  const [ada, eve] = [await system.makeUser({ balance: 5000 }), await system.makeUser({ balance: 5000 })]
  const trainId = await trainAt(system, 24)
  const booking = await bookSeats(system, ada, trainId, ['A'])
  await bookSeats(system, eve, await trainAt(system, 24), ['E'])
  await move(system, trainId, 20)
  const { version } = await system.run(trains.getTrain, { trainId })
  await system.run(trains.updateTrain, { trainId, version, set: { pricePerSeat: 7 } })
  await move(system, trainId, 21)
  await until(async () => (await told(system, ada, 'train:updated')).length === 2)
  t.deepEqual(await told(system, ada, 'train:updated'), [
    {
      trainId,
      bookingId: booking.id,
      route: 'A - B',
      departureTime: at(20),
      arrivalTime: at(24),
      previous: { route: 'A - B', departureTime: at(24), arrivalTime: at(28) },
    },
    {
      trainId,
      bookingId: booking.id,
      route: 'A - B',
      departureTime: at(21),
      arrivalTime: at(25),
      previous: { route: 'A - B', departureTime: at(20), arrivalTime: at(24) },
    },
  ])
  t.deepEqual(await told(system, eve, 'train:updated'), [])
})

test('a train is not shrunk below the number of a seat that is sold', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 5000 })
  const trainId = await makeTrain(system, { seats: 3 })
  const first = await bookSeats(system, user, trainId, ['A'])
  const second = await bookSeats(system, user, trainId, ['B'])
  t.is(second.passengers?.[0]?.seat, 2)
  await system.run(bookings.cancelBooking, { bookingId: first.id }, user)
  const shrink = (availableSeats: number) => ({ trainId, version: 0, set: { availableSeats } })
  const refusal = await system.refused(trains.updateTrain, shrink(1))
  t.is(refusal.code, 'seats_sold')
  t.deepEqual(refusal.details, { sold: 1, highest: 2 })
  t.like(await system.run(trains.updateTrain, shrink(2)), { seats: 2, availableSeats: 1 })
  t.like(await system.run(bookings.auditBooks, {}), { ok: true })

  await system.model(Train).updateOne({ _id: trainId }, { $set: { seats: 1, seatsLeft: 0 } })
  const { violations } = await system.run(bookings.auditBooks, {})
  t.deepEqual(
    violations.map(({ detail }) => detail),
    ['seats 2 sold of a train with 1'],
  )
})

test('a train is called off: everybody is refunded and told, and the answer is the list', async (t) => {
  const system = await createSystem(t)
  const trainId = await trainAt(system, 2)
  const buyers = await Promise.all(Array.from({ length: 4 }, () => system.makeUser({ balance: 5000 })))
  const booked = await Promise.all(buyers.map((buyer) => bookSeats(system, buyer, trainId, ['A', 'B'])))
  const [first] = booked
  await system.run(bookings.cancelBooking, { bookingId: first?.id as string }, buyers[0])
  t.is((await system.refused(trains.callOffTrain, { trainId }, buyers[0])).code, 'forbidden')

  const result = await system.run(trains.callOffTrain, { trainId, reason: 'Snow' })
  t.like(result, { trainId, calledOff: { at: START.toISOString(), reason: 'Snow' } })
  const rest = booked.slice(1).map(({ id, userId }) => ({
    ...{ bookingId: id, userId, passengers: 2, amount: 2000, outcome: 'refunded' },
  }))
  const byId = (list: { bookingId: string }[]) => [...list].sort((a, b) => (a.bookingId < b.bookingId ? -1 : 1))
  t.deepEqual(byId(result.bookings), byId(rest))
  t.deepEqual(await system.run(trains.callOffTrain, { trainId, reason: 'again' }), result, 'sent again')
  for (const buyer of buyers) t.is(await balanceOf(system, buyer), 5000)

  t.like(await system.run(trains.getTrain, { trainId }), { availableSeats: 10, calledOff: { reason: 'Snow' } })
  t.deepEqual((await system.run(trains.listTrains, {})).items, [])
  const late = { trainId, passengers: [{ name: 'C' }] }
  t.is((await system.refused(bookings.startBooking, late, buyers[1])).code, 'train_called_off')
  t.is((await system.refused(trains.callOffTrain, { trainId: system.newId() })).code, 'train_not_found')
  for (const buyer of buyers.slice(1)) {
    await until(async () => (await told(system, buyer, 'train:calledoff')).length === 1)
    t.like((await told(system, buyer, 'train:calledoff'))[0], { trainId, reason: 'Snow' })
  }
  t.deepEqual(await told(system, buyers[0] as Caller, 'train:calledoff'), [], 'has no seat any more')
  t.like(await system.run(bookings.auditBooks, {}), { ok: true })
})

test.serial('who has another booking under way is refunded as soon as that has ended', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 5000 })
  const trainId = await trainAt(system, 24)
  const booking = await bookSeats(system, user, trainId, ['A'])
  const carId = await system.makeCar({ pricePerHour: 10 })
  await crashAt('APPLIED.before', () => system.run(bookings.createBooking, { carId, from: at(30), to: at(31) }, user))
  const open = await system.run(trains.callOffTrain, { trainId })
  t.like(open.bookings[0], { bookingId: booking.id, outcome: 'open' })
  system.clock.advance(system.config.recovery.stuckAfterMs + 1)
  await system.run(bookings.recoverBookings, {}, null)
  t.like((await system.run(trains.callOffTrain, { trainId })).bookings[0], { outcome: 'refunded' })
  t.is(await balanceOf(system, user), 4990)
})

test.serial('whatever dies while a train is called off, everybody is refunded once', async (t) => {
  const system = await createTestSystem(t)
  const stage = async () => {
    const trainId = await trainAt(system, 24 * 30)
    const buyer = await system.makeUser({ balance: 5000 })
    await bookSeats(system, buyer, trainId, ['A'])
    return { trainId, buyer }
  }
  const whole = await stage()
  const points = await pointsOf(() => system.run(trains.callOffTrain, { trainId: whole.trainId }))
  t.true(points.length > 5, points.join(' '))
  for (const [n, point] of points.entries()) {
    const { trainId, buyer } = await stage()
    await crashAt(n, () => system.run(trains.callOffTrain, { trainId }))
    // What the event's subscriber does, until it succeeds.
    const { calledOff } = await system.model(Train).findById(trainId).orFail().lean()
    const bookingIds = calledOff?.bookingIds.map((each) => String(each)) ?? []
    t.is(bookingIds.length, 1, point)
    await system.run(bookings.takeBackBookings, { bookingIds }, null)
    t.is(await balanceOf(system, buyer), 5000, `${n} ${point}`)
    const { bookings: list } = await system.run(trains.callOffTrain, { trainId })
    t.like(list[0], { outcome: 'refunded' }, `${n} ${point}`)
  }
  t.like(await system.run(bookings.auditBooks, {}), { ok: true })
})

test('who was removed from a lobby books nothing from it, and nothing is written there', async (t) => {
  const system = await createTestSystem(t)
  const [eve, ada] = [await system.makeUser({ balance: 5000 }), await system.makeUser({ balance: 5000 })]
  const trainId = await trainAt(system, 24)
  const lobbyId = system.newId()
  await system.run(lobbies.createLobby, { lobbyId, trainId })
  await system.run(lobbies.removeFromLobby, { lobbyId, userId: eve.userId })
  const passengers = [{ name: 'E' }]
  t.is((await system.refused(bookings.startBooking, { lobbyId, passengers }, eve)).code, 'removed_from_lobby')
  const forEve = { lobbyId, passengers, userId: eve.userId }
  t.is((await system.refused(bookings.startBooking, forEve)).code, 'removed_from_lobby')
  t.deepEqual((await system.run(bookings.listBookings, {})).items, [])
  await system.run(bookings.startBooking, { lobbyId, passengers }, ada)
  t.like(await bookSeats(system, eve, trainId, ['E']), { state: 'COMMITTED' })
})
