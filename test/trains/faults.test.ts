import test, { type ExecutionContext } from 'ava'
import mongoose from 'mongoose'
import { bookings } from '../../functions/bookings/contract.js'
import { Booking } from '../../functions/bookings/booking.model.js'
import { trains } from '../../functions/trains/contract.js'
import { Train } from '../../functions/trains/train.model.js'
import { users } from '../../functions/users/contract.js'
import { User } from '../../functions/users/user.model.js'
import type { Caller } from '../../platform/contract/caller.js'
import { isOutstanding } from '../../protocol/states.js'
import { testCrashesAndStalls } from '../support/faultTests.js'
import { startMongods, type TestMongod } from '../support/mongod.js'
import { createTestSystem, type TestSystem } from '../support/system.js'
import { until } from '../../proof/support/until.js'
import { bookSeats, ended, makeTrain } from './support.js'

/**
 * As test/bookings/faults/ does for cars: seats are bought and taken back with a crash, and with a stall while
 * recovery ends it, at every failpoint. Users, bookings and trains are on MongoDBs of their own. Failpoints are one per
 * process: the tests of this file run one by one.
 */

const PRICE = 1000

interface Stage {
  trainId: string
  user: Caller
  bookingId: string
}

const start = async (system: TestSystem, { trainId, user, bookingId }: Stage): Promise<void> => {
  const known = system.logs.length
  await system.run(bookings.startBooking, { bookingId, trainId, passengers: [{ name: 'A' }, { name: 'B' }] }, user)
  // Its work goes on after the answer: the crash or the stall must find it. The log says so when it ends early.
  const died = () => system.logs.slice(known).some(({ msg }) => msg === 'a started booking is left to recovery')
  await until(async () => died() || (await ended(system, bookingId)), { timeoutMs: 60_000 })
}

interface Scenario {
  balance: number
  seats: number
  prepare?: (system: TestSystem, stage: Stage) => Promise<unknown>
  run: (system: TestSystem, stage: Stage) => Promise<unknown>
  endsWith: number[]
}

/** As a clear leaves it that a failover took: a booking is COMMITTED, and its marker is there again. */
async function spendAndLeaveMarker(system: TestSystem, { user }: Stage): Promise<void> {
  await system.run(users.depositFunds, { userId: user.userId, amount: PRICE })
  const { id } = await bookSeats(system, user, await makeTrain(system, { price: PRICE }), ['Ada'])
  const found = system.model(User)
  await until(async () => (await found.findById(user.userId).lean())?.pendingBookings.length === 0)
  await found.updateOne({ _id: user.userId }, { $set: { pendingBookings: [new mongoose.Types.ObjectId(id)] } })
}

const SCENARIOS: Record<string, Scenario> = {
  'seats that are there': { balance: 5000, seats: 3, run: start, endsWith: [5000, 3000] },
  'more seats than there are': { balance: 5000, seats: 1, run: start, endsWith: [5000] },
  // Whoever can't pay is told before anything begins, unless something undecided seems to hold their money.
  'seats beyond the balance': {
    balance: 1999,
    seats: 3,
    prepare: spendAndLeaveMarker,
    run: start,
    endsWith: [1999],
  },
  'seats that are taken back': {
    balance: 5000,
    seats: 3,
    prepare: start,
    run: (system, { user, bookingId }) => system.run(bookings.cancelBooking, { bookingId }, user),
    endsWith: [3000, 5000],
  },
}

let apart: Promise<TestMongod[]> | undefined

async function createSystem(t: ExecutionContext): Promise<TestSystem> {
  const [first, second, third] = (await (apart ??= startMongods(3))) as [TestMongod, TestMongod, TestMongod]
  return createTestSystem(t, { mongods: { bookings: first, users: second, trains: third } })
}

async function stageFor(system: TestSystem, scenario: Scenario): Promise<Stage> {
  const trainId = await makeTrain(system, { seats: scenario.seats, price: PRICE })
  const stage = { trainId, user: await system.makeUser({ balance: scenario.balance }), bookingId: system.newId() }
  await scenario.prepare?.(system, stage)
  return stage
}

async function recover(system: TestSystem): Promise<void> {
  await until(
    async () => {
      system.clock.advance(system.config.recovery.stuckAfterMs + 1)
      await system.run(bookings.recoverBookings, {}, null)
      return (
        (await system
          .model(Booking)
          .collection.countDocuments(isOutstanding, { readConcern: 'local', hint: 'recovery' })) === 0
      )
    },
    { timeoutMs: 60_000 },
  )
}

async function assertSettled(t: ExecutionContext, system: TestSystem, scenario: Scenario, stage: Stage, what: string) {
  const { violations } = await system.run(bookings.auditBooks, {})
  t.deepEqual(violations, [], what)
  const { balance } = await system.run(users.getUser, { userId: stage.user.userId })
  t.true(scenario.endsWith.includes(balance), `${what}: balance ${balance}`)
  const train = await until(() => system.model(Train).findById(stage.trainId).lean())
  const held = train.bookings.reduce((sum, { passengers }) => sum + passengers, 0)
  t.is(train.seatsLeft, scenario.seats - held, what)
  t.is(held * PRICE, scenario.balance - balance, `${what}: paid for what is held`)
  for (const { seats } of train.bookings) t.is(seats?.length, 2, `${what}: numbered`)
}

testCrashesAndStalls({ scenarios: SCENARIOS, createSystem, stageFor, recover, assertSettled })

test.serial('two give numbers at once, and one of them late: each seat has one owner', async (t) => {
  const system = await createSystem(t)
  const trainId = await makeTrain(system, { seats: 4, price: PRICE })
  const [ada, ben] = [await system.makeUser({ balance: 5000 }), await system.makeUser({ balance: 5000 })]
  const first = await bookSeats(system, ada, trainId, ['Ada'])
  const give = (bookingId: string) =>
    system.run(
      trains.moveSeats,
      {
        steps: [
          {
            step: 'give',
            booking: { id: bookingId, trainId, passengers: 1, createdAt: system.clock.now().toISOString() },
          },
        ],
      },
      null,
    )
  const again = await Promise.all([give(first.id), give(first.id)])
  t.deepEqual(
    again.map(({ outcomes }) => outcomes[0]),
    [
      { vote: 'ok', seats: [1] },
      { vote: 'ok', seats: [1] },
    ],
  )
  await system.run(bookings.cancelBooking, { bookingId: first.id }, ada)
  t.deepEqual((await bookSeats(system, ben, trainId, ['Ben'])).passengers, [{ name: 'Ben', seat: 1 }])
  t.deepEqual((await give(first.id)).outcomes, [{ vote: 'unknown' }], 'its record is gone')
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
})
