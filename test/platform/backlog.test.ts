import test from 'ava'
import mongoose from 'mongoose'
import { bookings } from '../../functions/bookings/contract.js'
import { calendars } from '../../functions/calendars/contract.js'
import { events } from '../../functions/events/contract.js'
import { expirations } from '../../functions/expirations/contract.js'
import { messages } from '../../functions/messages/contract.js'
import { payments } from '../../functions/payments/contract.js'
import { platform } from '../../functions/platform/contract.js'
import { users } from '../../functions/users/contract.js'
import { ensureRecurring, jobStore } from '../../jobs/store.js'
import { JOBS_COLLECTION } from '../../platform/jobs/lateness.js'
import { migrateUp } from '../../platform/migrations/migrations.js'
import { startFollowers } from '../../projections/runner.js'
import { followersOf } from '../../projections/followers.js'
import { until } from '../../proof/support/until.js'
import { crashAt } from '../support/faults.js'
import { createTestSystem, HOUR_MS, START, type TestSystem } from '../support/system.js'

/** getStatus remembers for two seconds what it was told of waiting work. */
const tells = (system: TestSystem, what: RegExp) =>
  until(async () => {
    const { status, message } = await system.run(platform.getStatus, {}, null)
    return status === 'DEGRADED' && what.test(message)
  })
const isWell = (system: TestSystem) =>
  until(async () => (await system.run(platform.getStatus, {}, null)).status === 'OK')

test.serial('a booking that is stuck, or parked, is told with its age until it is settled', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 9000 })
  const carId = await system.makeCar()
  const bookingId = system.newId()
  const period = { from: START.toISOString(), to: new Date(START.getTime() + HOUR_MS).toISOString() }
  await crashAt(6, () => system.run(bookings.createBooking, { bookingId, carId, ...period }, user))
  await isWell(system)
  system.clock.advance(12 * 60_000)
  await tells(system, /The bookings: 1 stuck, the oldest for 12 min\./)
  t.is((await system.run(platform.getStatus, { domain: 'users' }, null)).status, 'OK')

  const stored = system.databases.connection('bookings').collection('bookings')
  await stored.updateOne({ _id: new mongoose.Types.ObjectId(bookingId) }, { $set: { parked: true } })
  await tells(system, /The bookings: 1 parked, the oldest for 12 min\./)
  await system.run(bookings.recoverBookings, { bookingId })
  await isWell(system)
  t.pass()
})

test('a view that does not follow its log is told, until it does', async (t) => {
  const system = await createTestSystem(t)
  const [ada, bob] = [await system.makeUser(), await system.makeUser()]
  await system.run(messages.sendMessage, { toUserId: bob.userId, text: 'hello' }, ada)
  await isWell(system)
  system.clock.advance(20_000)
  await tells(system, /The view: messageBoxes is 1 entries and 20 s behind: does the app "projections" run\?/)
  const following = startFollowers(system, followersOf(system))
  t.teardown(() => following.stop())
  await isWell(system)
  t.pass()
})

test('dead letters are told', async (t) => {
  const system = await createTestSystem(t)
  const id = new mongoose.Types.ObjectId()
  await system.databases
    .connection('bookings')
    .collection('events')
    .insertOne({
      _id: id,
      type: 'thing:changed',
      aggregate: { type: 'thing', id },
      version: 1,
      payload: '{}',
      requestId: 'r',
      createdAt: START,
      isLocked: false,
      deadAt: START,
      failures: [],
    })
  system.clock.advance(3 * HOUR_MS)
  await tells(system, /The dead letters: 1, the oldest for 3 h\./)
  t.pass()
})

test('jobs that do not run, are paused or fail again and again are told by name', async (t) => {
  const system = await createTestSystem(t)
  await migrateUp(system.config, { domains: ['jobs'] })
  await system.databases.connect(['jobs'])
  const store = jobStore(system.databases)
  t.is(store.collectionName, JOBS_COLLECTION)
  await isWell(system)
  for (const name of ['recover-bookings', 'tidy'])
    await ensureRecurring(store, { name, intervalMs: 1000 }, system.now())
  await until(async () => (await checkOfJobs(system))?.detail === '2 run in time')

  system.clock.advance(60_000)
  await store.updateOne({ name: 'tidy' }, { $set: { lockedAt: system.now() } })
  await tells(system, /The jobs: recover-bookings is late by 1 min: does the app "jobs", or "background", run\?\./)
  await store.updateMany({}, { $set: { nextRunAt: system.now() } })
  await isWell(system)
  await store.updateOne({ name: 'tidy' }, { $set: { disabled: true } })
  await store.updateOne({ name: 'recover-bookings' }, { $set: { failCount: 7 } })
  await tells(system, /recover-bookings failed 7 times in a row; tidy is paused/)
})

const checkOfJobs = async (system: TestSystem) =>
  (await system.run(platform.getStatus, {}, null)).checks.find(({ name }) => name === 'jobs')

test('each domain tells what it looks after, also where nothing waits', async (t) => {
  const system = await createTestSystem(t)
  const told = [
    await system.run(bookings.reportStuckBookings, {}),
    await system.run(calendars.reportStuckInvitations, {}),
    await system.run(events.reportDeadEvents, {}),
    await system.run(expirations.reportStuckTimers, {}),
    await system.run(messages.reportMessageView, {}),
    await system.run(payments.reportStuckPayments, {}),
    await system.run(users.reportStuckTransfers, {}),
  ].flatMap(({ checks }) => checks)
  t.true(told.every(({ ok }) => ok))
  t.deepEqual(
    told.map(({ name, detail }) => `${name}: ${detail}`),
    [
      'bookings: none waits',
      'invitations: none waits',
      'view: calendars follows its log',
      'news: bookingLog follows its log',
      'dead letters: none',
      'timers: none waits',
      'view: messageBoxes follows its log',
      'news: messageLog follows its log',
      'payments: none waits',
      'charges: none waits',
      'transfers: none waits',
      'mails: none waits',
    ],
  )
})
