import test, { type ExecutionContext } from 'ava'
import { bookings } from '../../functions/bookings/contract.js'
import { trains } from '../../functions/trains/contract.js'
import { users } from '../../functions/users/contract.js'
import type { CallInput } from '../../platform/contract/contract.js'
import type { Caller } from '../../platform/contract/caller.js'
import { onFailpoint } from '../../platform/lib/failpoints.js'
import { until } from '../../proof/support/until.js'
import { createTestSystem, HOUR_MS, START, type TestSystem, type TestSystemOptions } from '../support/system.js'
import { makeTrain, settled } from '../trains/support.js'

/**
 * A no that hangs on what is not decided is none yet: who asks waits for that, and is told a final no only because of what
 * is final. Failpoints are one per process: the tests of this file run one by one.
 */

const at = (hour: number): string => new Date(START.getTime() + hour * HOUR_MS).toISOString()
const PRICE = 1000

type Thing = { carId: string } | { roomId: string } | { trainId: string }

/** One of each kind, of which one booking takes all. */
const kinds: Record<string, (system: TestSystem) => Promise<Thing>> = {
  car: async (system) => ({ carId: await system.makeCar({ pricePerHour: PRICE }) }),
  async room(system) {
    const room = { name: 'Single', pricePerNight: PRICE, units: 1 }
    return { roomId: (await system.run(bookings.createRoom, room)).id }
  },
  train: async (system) => ({ trainId: await makeTrain(system, { seats: 1, price: PRICE }) }),
}

/** Books it, whatever it is, and answers how that ended: the state, the reason it came to nothing, or what was refused. */
async function book(system: TestSystem, by: Caller, thing: Thing, bookingId = system.newId()): Promise<string> {
  const running =
    'trainId' in thing
      ? system.run(bookings.startBooking, { bookingId, ...thing, passengers: [{ name: 'Ada' }] }, by)
      : system.run(bookings.createBooking, { bookingId, ...thing, from: at(1), to: at(2) }, by)
  const refused = await running.then(
    () => undefined,
    (error: { code: string }) => error.code,
  )
  if (refused !== undefined) return refused
  const { state, reason } = await settled(system, bookingId)
  return reason ?? state
}

/** A booking that holds the thing and stands still before its decision, and another one that wants the same. */
async function meet(t: ExecutionContext, system: TestSystem, thing: Thing) {
  const [first, second] = [await system.makeUser({ balance: PRICE }), await system.makeUser({ balance: PRICE })]
  const [firstId, secondId] = [system.newId(), system.newId()]
  let decide = (): void => {}
  let holds = false
  let applied = 0
  onFailpoint((name) => {
    if (/^apply(Car|Room|Train)\.after$/.test(name)) applied++
    if (name !== 'APPLIED.before' || holds) return
    holds = true
    return new Promise<void>((resolve) => (decide = resolve))
  })
  t.teardown(() => decide())
  const ends = { first: book(system, first, thing, firstId), second: Promise.resolve('') }
  await until(() => holds)
  ends.second = book(system, second, thing, secondId)
  // Refused, and asked again.
  await until(() => applied >= 3)
  if ('trainId' in thing) {
    t.deepEqual(await system.run(trains.findPendingOnTrain, thing, null), { bookingIds: [firstId] })
  }
  return { firstId, secondId, second, ends, decide: () => decide() }
}

for (const [kind, make] of Object.entries(kinds)) {
  const unavailable = kind === 'train' ? 'seats_unavailable' : `${kind}_unavailable`

  test.serial(`what holds the ${kind} comes to nothing: who waited has it`, async (t) => {
    const system = await createTestSystem(t)
    t.teardown(() => onFailpoint(null))
    const { ends, decide, firstId } = await meet(t, system, await make(system))
    await system.run(bookings.cancelBooking, { bookingId: firstId })
    t.is(await ends.second, 'COMMITTED')
    decide()
    t.is(await ends.first, kind === 'train' ? 'cancelled_by_admin' : 'booking_state_changed')
    t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
  })

  test.serial(`what holds the ${kind} is decided: who waited is refused`, async (t) => {
    const system = await createTestSystem(t)
    t.teardown(() => onFailpoint(null))
    const { ends, decide } = await meet(t, system, await make(system))
    decide()
    t.is(await ends.first, 'COMMITTED')
    t.is(await ends.second, unavailable)
    t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
  })
}

const short: TestSystemOptions = { env: { MONEY_DEADLINE_MS: '2000' } }

test.serial('what is not decided in time leaves the outcome open, and the same request learns it', async (t) => {
  const system = await createTestSystem(t, short)
  t.teardown(() => onFailpoint(null))
  const thing = { carId: await system.makeCar({ pricePerHour: PRICE }) }
  const { ends, firstId, secondId, second, decide } = await meet(t, system, thing)
  t.is(await ends.second, 'deadline_exceeded')
  t.like(await system.run(bookings.getBooking, { bookingId: secondId }), { state: 'PENDING' })
  await system.run(bookings.cancelBooking, { bookingId: firstId })
  decide()
  await ends.first
  await until(async () => {
    // Whoever drove it last must be dead by now, this request's own last try too.
    system.clock.advance(system.config.recovery.stuckAfterMs + 1)
    return (await book(system, second, thing, secondId)) === 'COMMITTED'
  })
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
})

test.serial('a marker that is left of a decided booking makes nobody wait', async (t) => {
  const system = await createTestSystem(t)
  t.teardown(() => onFailpoint(null))
  const [first, second] = [await system.makeUser({ balance: PRICE }), await system.makeUser({ balance: PRICE })]
  const thing = { carId: await system.makeCar({ pricePerHour: PRICE }) }
  onFailpoint((name) => {
    if (name === 'clearCar.before') throw new Error('it dies here')
  })
  const bookingId = system.newId()
  t.is(await book(system, first, thing, bookingId), 'internal')
  onFailpoint(null)
  await settled(system, bookingId)
  let applied = 0
  onFailpoint((name) => void (name === 'applyCar.after' && applied++))
  t.is(await book(system, second, thing), 'car_unavailable')
  t.is(applied, 2, 'asked again once, since what was in the way might have gone meanwhile')
})

test.serial("who can't pay holds nothing, and has the refusal kept", async (t) => {
  const system = await createTestSystem(t)
  t.teardown(() => onFailpoint(null))
  const poor = await system.makeUser({ balance: PRICE - 1 })
  const passed: string[] = []
  onFailpoint((name) => void passed.push(name))
  for (const make of Object.values(kinds)) t.is(await book(system, poor, await make(system)), 'insufficient_funds')
  t.deepEqual(
    passed.filter((name) => name.startsWith('apply')),
    [],
  )
  const { items } = await system.run(bookings.listBookings, {}, poor)
  t.deepEqual(
    items.map(({ state, reason }) => [state, reason]),
    items.map(() => ['CANCELLED', 'insufficient_funds']),
  )
  t.is(items.length, 3)
})

test.serial(
  'money that an undecided booking holds may come back: the balance is no reason to refuse yet',
  async (t) => {
    const system = await createTestSystem(t)
    t.teardown(() => onFailpoint(null))
    const { ends, decide, firstId } = await meet(t, system, await kinds['car']!(system))
    const { userId } = await system.run(bookings.getBooking, { bookingId: firstId })
    const another: CallInput<typeof bookings.createBooking> = {
      carId: await system.makeCar({ pricePerHour: PRICE }),
      from: at(5),
      to: at(6),
    }
    const { funds } = await system.run(users.findFunds, { userIds: [userId, system.newId()] }, null)
    t.like(funds, [{ balance: 0, undecided: true }, null])
    const refusal = await system.refused(bookings.createBooking, another, { userId, role: 'user' })
    t.like(refusal, { code: 'booking_outstanding', details: { bookingId: firstId } })
    decide()
    await Promise.all(Object.values(ends))
  },
)
