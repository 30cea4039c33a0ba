import test, { type ExecutionContext } from 'ava'
import mongoose, { type Collection } from 'mongoose'
import { bookings } from '../../../functions/bookings/contract.js'
import { Booking } from '../../../functions/bookings/booking.model.js'
import { Car } from '../../../functions/bookings/kinds/car/car.model.js'
import { Room } from '../../../functions/bookings/kinds/room/room.model.js'
import { users } from '../../../functions/users/contract.js'
import { Deposit, Withdrawal } from '../../../functions/users/transfer.model.js'
import { User } from '../../../functions/users/user.model.js'
import type { Caller } from '../../../platform/contract/caller.js'
import { isOutstanding } from '../../../protocol/states.js'
import { crashAt } from '../../support/faults.js'
import { testCrashesAndStalls } from '../../support/faultTests.js'
import { untilMajority } from '../../support/majority.js'
import { until } from '../../../proof/support/until.js'
import { createTestSystem, HOUR_MS, type TestSystem, type TestSystemOptions } from '../../support/system.js'

/**
 * Fail at every step: each operation that moves money is crashed at every failpoint, stalled at every failpoint
 * while recovery runs to its end, and run with every write sent twice. The books must balance after each: on one MongoDB,
 * with users and bookings on two, and with their functions at two addresses that call each other over cote: a file each,
 * so that they run beside each other. Failpoints are one per process: the tests of a file run one by one.
 */

/** What is booked: a car, or a room of which there are two. */
type Thing = { carId: string } | { roomId: string }

interface Stage {
  user: Caller
  thing: Thing
  at: (hour: number) => string
  /** The id that the operation under test uses, each time it is sent. */
  newId: string
}

interface Scenario {
  balance: number
  /** By default a car. */
  of?: 'car' | 'room'
  /** What must have happened before; answers what the operation needs to know of it. */
  prepare?: (system: TestSystem, stage: Stage) => Promise<unknown>
  run: (system: TestSystem, stage: Stage) => Promise<unknown>
  /** Every balance that the user may end with. */
  endsWith: number[]
}

const COST = 2000
const UNITS = 2
const book = (system: TestSystem, { user, thing, at, newId }: Stage, bookingId = newId) =>
  system.run(bookings.createBooking, { bookingId, ...thing, from: at(1), to: at(3) }, user)

/** Others take what there is of it: one car, or so many rooms. */
const bookByOthers = (count: number) => async (system: TestSystem, stage: Stage) => {
  for (let i = 0; i < count; i++) {
    await book(system, { ...stage, user: await system.makeUser({ balance: COST }) }, system.newId())
  }
}

/** Leaves a booking behind as a crash at its n-th failpoint does, once majority reads see it. */
const bookAndCrash = (n: number) => async (system: TestSystem, stage: Stage) => {
  await crashAt(n, () => book(system, stage))
  await until(() => system.run(bookings.getBooking, { bookingId: stage.newId }))
}

/** As a clear leaves it that a failover took: the booking is COMMITTED, and its marker is there again. */
async function spendAndLeaveMarker(system: TestSystem, stage: Stage): Promise<void> {
  const carId = await system.makeCar({ pricePerHour: COST / 2 })
  const { id } = await book(system, { ...stage, thing: { carId } }, system.newId())
  await system
    .model(User)
    .updateOne({ _id: stage.user.userId }, { $addToSet: { pendingBookings: new mongoose.Types.ObjectId(id) } })
}

const cancel = (system: TestSystem, { user, newId }: Stage) =>
  system.run(bookings.cancelBooking, { bookingId: newId }, user)

const POINTS_UNTIL_APPLIED = 8

const SCENARIOS: Record<string, Scenario> = {
  'a booking': { balance: 5000, run: book, endsWith: [5000, 3000] },
  // Whoever can't pay is told before anything begins, unless something undecided seems to hold their money.
  'a booking beyond the balance': { balance: 1999 + COST, prepare: spendAndLeaveMarker, run: book, endsWith: [1999] },
  'a booking of a busy car': {
    balance: 5000,
    prepare: bookByOthers(1),
    run: book,
    endsWith: [5000],
  },
  'the cancellation of a committed booking': { balance: 5000, prepare: book, run: cancel, endsWith: [3000, 5000] },
  'the cancellation of a booking that was left undecided': {
    balance: 5000,
    prepare: bookAndCrash(POINTS_UNTIL_APPLIED),
    run: cancel,
    endsWith: [3000, 5000],
  },
  'the cancellation of a booking that was left INITIAL': {
    balance: 5000,
    prepare: bookAndCrash(2),
    run: cancel,
    endsWith: [3000, 5000],
  },
  'the same booking sent again after a crash': {
    balance: 5000,
    prepare: bookAndCrash(POINTS_UNTIL_APPLIED),
    async run(system, stage) {
      system.clock.advance(HOUR_MS)
      await book(system, stage)
    },
    endsWith: [3000, 5000],
  },
  'a booking of the last unit of a room': {
    balance: 5000,
    of: 'room',
    prepare: bookByOthers(UNITS - 1),
    run: book,
    endsWith: [5000, 3000],
  },
  'a booking of a room that is full': {
    balance: 5000,
    of: 'room',
    prepare: bookByOthers(UNITS),
    run: book,
    endsWith: [5000],
  },
  'the cancellation of a committed booking of a room': {
    balance: 5000,
    of: 'room',
    prepare: book,
    run: cancel,
    endsWith: [3000, 5000],
  },
  'a deposit': {
    balance: 100,
    run: (system, { user, newId }) =>
      system.run(users.depositFunds, { depositId: newId, userId: user.userId, amount: 50 }),
    endsWith: [100, 150],
  },
  'a withdrawal': {
    balance: 100,
    run: (system, { user, newId }) =>
      system.run(users.withdrawFunds, { withdrawalId: newId, userId: user.userId, amount: 40 }),
    endsWith: [100, 60],
  },
  'a withdrawal beyond the balance': {
    balance: 100,
    run: (system, { user, newId }) =>
      system.run(users.withdrawFunds, { withdrawalId: newId, userId: user.userId, amount: 101 }),
    endsWith: [100],
  },
}

/** A user, a thing to book and a clear hour of their own: what earlier rounds left behind must not matter. */
async function stageFor(system: TestSystem, { balance, of, prepare }: Scenario): Promise<Stage> {
  const user = await system.makeUser({ balance })
  // Whenever it begins, a period of two hours is one night.
  const room = { name: 'Double', pricePerNight: COST, units: UNITS }
  const thing: Thing =
    of === 'room'
      ? { roomId: (await system.run(bookings.createRoom, room)).id }
      : { carId: await system.makeCar({ pricePerHour: COST / 2 }) }
  const start = system.clock.now().getTime()
  const at = (hour: number) => new Date(start + (1000 + hour) * HOUR_MS).toISOString()
  const stage: Stage = { user, thing, newId: system.newId(), at }
  await prepare?.(system, stage)
  return stage
}

/** As the recovery job does: again and again. What was inserted at w:1 no majority read sees for a moment. */
async function recover(system: TestSystem): Promise<void> {
  await until(async () => {
    system.clock.advance(system.config.recovery.stuckAfterMs + 1)
    await system.run(bookings.recoverBookings, {}, null)
    await system.run(users.recoverTransfers, {}, null)
    return (
      (await system
        .model(Booking)
        .collection.countDocuments(isOutstanding, { readConcern: 'local', hint: 'recovery' })) === 0
    )
  })
  await untilMajority(system)
}

/** Nothing is outstanding, the books are right, and the user has a balance that the operation may end with. */
async function assertSettled(t: ExecutionContext, system: TestSystem, scenario: Scenario, stage: Stage, what: string) {
  const outstanding = await system.model(Booking).find(isOutstanding).sort({ createdAt: 1 }).lean()
  t.deepEqual(
    outstanding.map(({ _id, state }) => `${String(_id)} ${state}`),
    [],
    `${what}: outstanding`,
  )
  for (const transfer of [Deposit, Withdrawal]) {
    t.is(
      await system.model(transfer).countDocuments({ state: 'PENDING' }, { hint: 'recovery' }),
      0,
      `${what}: pending transfers`,
    )
  }
  const audit = await system.run(bookings.auditBooks, {})
  t.deepEqual(audit.violations, [], what)
  const user = await system.model(User).findById(stage.user.userId).lean()
  t.true(scenario.endsWith.includes(user?.balance as number), `${what}: balance ${user?.balance}`)
  // All bookings of a stage are of one period.
  const active = await activeAt(system, stage.thing)
  t.true(active <= ('roomId' in stage.thing ? UNITS : 1), `${what}: ${active} active bookings`)
}

async function activeAt(system: TestSystem, thing: Thing): Promise<number> {
  const found =
    'roomId' in thing
      ? await system.model(Room).findById(thing.roomId).lean()
      : await system.model(Car).findById(thing.carId).lean()
  return found?.bookings.length ?? NaN
}

type Options = () => Promise<Pick<TestSystemOptions, 'mongods' | 'hosts'>>

export const testFaults = (options: Options): void =>
  testCrashesAndStalls({
    scenarios: SCENARIOS,
    createSystem: async (t) => createTestSystem(t, await options()),
    stageFor,
    recover,
    assertSettled,
  })

export function testWritesSentTwice(options: Options): void {
  test.serial('every write sent twice', async (t) => {
    const system = await createTestSystem(t, await options())
    let sent = 0
    for (const model of [User, Car, Room, Booking]) sendTwice(system.model(model as never).collection, () => sent++)
    for (const [name, scenario] of Object.entries(SCENARIOS)) {
      const stage = await stageFor(system, scenario)
      await scenario.run(system, stage).catch(() => {})
      await recover(system)
      await assertSettled(t, system, scenario, stage, name)
    }
    t.true(sent > 0)
  })
}

/** Each bulk write reaches the server twice, and the product learns the answer to the second: a lost first reply. */
function sendTwice(collection: Collection, sent: () => void): void {
  const bulkWrite = collection.bulkWrite.bind(collection)
  collection.bulkWrite = async (...args) => {
    sent()
    await bulkWrite(...args)
    return bulkWrite(...args)
  }
}
