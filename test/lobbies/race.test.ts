import test from 'ava'
import { bookings } from '../../functions/bookings/contract.js'
import { lobbies } from '../../functions/lobbies/contract.js'
import { trains } from '../../functions/trains/contract.js'
import { seededRandom } from '../../proof/support/numbers.js'
import { until } from '../../proof/support/until.js'
import { makeTrain } from '../trains/support.js'
import { isGapless, seqsOf, stageOf, type Member } from './support.js'

const SEED = Number(process.env['SEED'] ?? 1)
const MEMBERS = 24
const SEATS = 8

/** The short form of npm run race:trains: two lobbies, connections that break, no process that dies. */
test(`members of two lobbies race for the seats while their connections break (SEED=${SEED})`, async (t) => {
  t.log(`SEED=${SEED}`)
  const random = seededRandom(SEED)
  const stage = await stageOf(t, { seats: SEATS, env: { RATE_LIMIT_PER_SECOND: '0' } })
  const { system, connect } = stage
  const otherTrain = await makeTrain(system, { seats: SEATS, price: 1000 })
  const other = await system.run(lobbies.createLobby, { trainId: otherTrain })
  const rooms = [
    { trainId: stage.trainId, lobbyId: stage.lobbyId },
    { trainId: otherTrain, lobbyId: other.id },
  ] as const

  const racers = await Promise.all(
    Array.from({ length: MEMBERS }, async (_, i) => {
      const caller = await system.makeUser({ balance: 10_000 })
      const { lobbyId } = rooms[i % 2 ? 1 : 0]
      const member = await connect(caller, random() < 0.5 ? 0 : 1)
      const joined = await member.call('joinLobby', { lobbyId })
      t.true(joined.ok)
      return {
        caller,
        lobbyId,
        bookingId: system.newId(),
        connections: [member],
        from: joined.data.seq,
      }
    }),
  )
  type Racer = (typeof racers)[number]
  const told = ({ connections, bookingId }: Racer) =>
    connections
      .flatMap(({ told: all }) => all)
      .filter(({ name, data }) => /^booking:(confirmed|rejected)$/.test(name) && data.bookingId === bookingId)
  const sequence = ({ connections, lobbyId }: Racer) => connections.flatMap((each) => seqsOf(each, lobbyId))

  await Promise.all(
    racers.map(async (racer) => {
      const passengers = random() < 0.2 ? [{ name: 'A' }, { name: 'B' }] : [{ name: 'A' }]
      const drops = random() < 0.4
      const worker = random() < 0.5 ? 0 : 1
      const [first] = racer.connections as [Member]
      const { bookingId, lobbyId } = racer
      t.true((await first.call('startBooking', { bookingId, lobbyId, passengers })).ok)
      if (!drops) return
      const cut = new Promise((resolve) => first.socket.once('disconnect', resolve))
      first.socket.io.engine.close()
      await cut
      const lastSeq = sequence(racer).at(-1) ?? racer.from
      const userSeq = first.told.filter(({ data }) => data.lobbyId === undefined).at(-1)?.data.seq
      const second = await connect(racer.caller, worker, {
        lobbies: { [lobbyId]: racer.from },
        ...(userSeq !== undefined && { lastSeq: userSeq }),
      })
      racer.connections.push(second)
      t.true((await second.call('joinLobby', { lobbyId, lastSeq })).ok)
    }),
  )
  for (const racer of racers) await until(() => told(racer).length > 0, { timeoutMs: 60_000, what: 'an outcome' })

  // One last word in each lobby: whoever has it has all that came before.
  for (const { lobbyId } of rooms) {
    const speaker = racers.find((each) => each.lobbyId === lobbyId)?.connections.at(-1)
    t.true((await speaker?.call('postToLobby', { lobbyId, text: 'that was it' }))?.ok)
  }
  for (const racer of racers) await until(() => racer.connections.at(-1)?.heard('lobby:message').length === 1)

  for (const racer of racers) {
    const outcomes = told(racer)
    const booking = await system.run(bookings.getBooking, { bookingId: racer.bookingId })
    t.is(outcomes.length, 1, `${racer.bookingId} was told ${outcomes.length} times`)
    t.is(outcomes[0]?.name, booking.state === 'COMMITTED' ? 'booking:confirmed' : 'booking:rejected')
    const seqs = sequence(racer)
    t.true(isGapless(seqs), seqs.join())
    t.is(seqs[0], racer.from + 1)
  }
  for (const { trainId, lobbyId } of rooms) {
    const confirmed = racers.filter((each) => each.lobbyId === lobbyId && told(each)[0]?.name === 'booking:confirmed')
    const seats = confirmed.flatMap((each) => told(each)[0]?.data['seats'] as number[])
    t.is(new Set(seats).size, seats.length)
    await until(async () => (await system.run(trains.getTrain, { trainId })).availableSeats === SEATS - seats.length)
    t.true(seats.length >= SEATS - 1, `${seats.length} of ${SEATS} sold`)
  }
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
})
