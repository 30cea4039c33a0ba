import test from 'ava'
import { bookings } from '../../functions/bookings/contract.js'
import { feeds } from '../../functions/feeds/contract.js'
import { lobbies } from '../../functions/lobbies/contract.js'
import { trains } from '../../functions/trains/contract.js'
import { crashAt } from '../support/faults.js'
import { untilMajority } from '../support/majority.js'
import { createTestSystem } from '../support/system.js'
import { until } from '../../proof/support/until.js'
import { bookSeats, makeTrain } from './support.js'

/** What functions ask each other. Failpoints are one per process: these tests run one by one. */

test.serial('readTrainTerms and readLobbyTerms answer in the order asked, null where there is none', async (t) => {
  const system = await createTestSystem(t)
  const trainId = await makeTrain(system, { price: 700 })
  const none = system.newId()
  const { terms } = await system.run(trains.readTrainTerms, { trainIds: [none, trainId] }, null)
  t.is(terms[0], null)
  t.like(terms[1], { pricePerSeat: 700, departureTime: '2031-06-01T08:00:00.000Z' })

  const { id } = await system.run(lobbies.createLobby, { trainId })
  const ofLobbies = await system.run(lobbies.readLobbyTerms, { lobbyIds: [none, id] }, null)
  t.deepEqual(ofLobbies.terms, [null, { trainId }])
})

test.serial('findLobbiesOfTrain names the open ones', async (t) => {
  const system = await createTestSystem(t)
  const trainId = await makeTrain(system)
  const [first, second, closed] = [
    await system.run(lobbies.createLobby, { trainId }),
    await system.run(lobbies.createLobby, { trainId }),
    await system.run(lobbies.createLobby, { trainId }),
  ]
  await system.run(lobbies.deleteLobby, { lobbyId: closed.id })
  const { lobbyIds } = await system.run(lobbies.findLobbiesOfTrain, { trainId }, null)
  t.deepEqual(lobbyIds, [first.id, second.id])
})

test.serial('findOutstandingOnTrain sees a booking that a crash left behind', async (t) => {
  const system = await createTestSystem(t)
  const trainId = await makeTrain(system)
  const buyer = await system.makeUser({ balance: 5000 })
  const bookingId = system.newId()
  const input = { bookingId, trainId, passengers: [{ name: 'Ada' }] }
  const before = () => new Date(system.clock.now().getTime() + 1).toISOString()
  const ask = () => system.run(bookings.findOutstandingOnTrain, { trainId, before: before() }, null)
  t.deepEqual(await ask(), { outstanding: false })
  await crashAt(2, async () => {
    await system.run(bookings.startBooking, input, buyer)
    await until(() => system.logs.some(({ msg }) => msg === 'a started booking is left to recovery'))
  })
  t.deepEqual(await until(async () => ((await ask()).outstanding ? await ask() : null)), { outstanding: true })
  system.clock.advance(system.config.recovery.stuckAfterMs + 1)
  await system.run(bookings.recoverBookings, {}, null)
  await untilMajority(system)
  t.deepEqual(await ask(), { outstanding: false })
})

test.serial('auditTrains answers what trains know of bookings', async (t) => {
  const system = await createTestSystem(t)
  const trainId = await makeTrain(system, { seats: 3 })
  const buyer = await system.makeUser({ balance: 5000 })
  const { id } = await bookSeats(system, buyer, trainId, ['Ada', 'Alan'])
  const { items } = await system.run(trains.auditTrains, { trainIds: [trainId] }, null)
  t.like(items[0], { id: trainId, bookings: [{ id, passengers: 2, seats: [1, 2] }], violations: [] })
})

test.serial('announceOutcome, delivered twice, is told once in each feed', async (t) => {
  const system = await createTestSystem(t)
  const trainId = await makeTrain(system, { seats: 3 })
  const { id: lobbyId } = await system.run(lobbies.createLobby, { trainId })
  const buyer = await system.makeUser({ balance: 5000 })
  const payload = await bookSeats(system, buyer, trainId, ['Ada'])
  const event = {
    eventId: system.newId(),
    type: 'booking:committed' as const,
    aggregate: { type: 'booking', id: payload.id },
    version: 2,
    payload,
    createdAt: '2031-01-01T00:00:00.000Z',
  }
  await system.run(bookings.announceOutcome, event, null)
  await system.run(bookings.announceOutcome, event, null)
  const read = async (feed: string) => (await system.run(feeds.readFeed, { feed, after: 0 }, null)).entries
  const [inLobby, ...more] = await read(`lobby:${lobbyId}`)
  t.like(inLobby, { name: 'booking:confirmed', data: { bookingId: payload.id, seats: [1] } })
  t.deepEqual(more, [])
  const own = await read(`user:${buyer.userId}`)
  t.is(own.length, 1)
  t.like(own[0], {
    name: 'booking:confirmed',
    also: [{ feed: `lobby:${lobbyId}`, seq: 1 }],
    data: { passengers: [{ name: 'Ada', seat: 1 }] },
  })
})
