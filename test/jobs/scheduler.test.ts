import test, { type ExecutionContext } from 'ava'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { bookings } from '../../functions/bookings/contract.js'
import { SWEEP_MS } from '../../jobs/dueJobs.js'
import { SCHEDULE, type ScheduledJob } from '../../jobs/schedule.js'
import { startScheduler, type Scheduler } from '../../jobs/scheduler.js'
import { ensureRecurring, jobStore } from '../../jobs/store.js'
import type { System } from '../../platform/runtime/system.js'
import { until } from '../../proof/support/until.js'
import { createJobsSystem } from './jobsSystem.js'
import { scheduledFunctions } from './scheduledFunctions.js'

const RECOVERY = { name: 'recover-bookings' }
const HOUR_MS = 3_600_000
/** A busy machine may stop a process for seconds; the lock must outlive that. */
const LOCK_MS = 15_000
const PATIENTLY = { timeoutMs: 60_000 }

async function start(t: ExecutionContext, system: System, schedule = SCHEDULE): Promise<Scheduler> {
  const scheduler = await startScheduler(system, schedule)
  t.teardown(() => scheduler.stop())
  return scheduler
}

// One after the other: they measure time.
test.serial('several processes that start at once write the schedule once', async (t) => {
  const first = await createJobsSystem(t)
  const others = await Promise.all(
    Array.from({ length: 5 }, () => createJobsSystem(t, scheduledFunctions({}), { beside: first })),
  )
  await Promise.all([first, ...others].map((system) => start(t, system)))
  const names = (await jobStore(first.databases).find().toArray()).map(({ name }) => name)
  t.deepEqual(names.sort(), ['recover-bookings', 'retry-events', 'tidy'])
})

test.serial('the same job ensured many times at once is inserted once', async (t) => {
  const { databases } = await createJobsSystem(t)
  const store = jobStore(databases)
  for (let round = 0; round < 20; round++) {
    const job = { name: `job-${round}`, intervalMs: 1000 }
    await Promise.all(Array.from({ length: 12 }, () => ensureRecurring(store, job, new Date())))
    t.is(await store.countDocuments({ name: job.name }), 1)
  }
})

test.serial('another interval holds from the next start on; history, lock and pause stay', async (t) => {
  const { databases } = await createJobsSystem(t)
  const store = jobStore(databases)
  const now = new Date()
  await ensureRecurring(store, { ...RECOVERY, intervalMs: HOUR_MS }, now)
  const kept = { lockedAt: now, lastRunAt: now, failCount: 3, disabled: true, lastModifiedBy: 'somebody' }
  await store.updateOne(RECOVERY, { $set: { ...kept, nextRunAt: new Date(now.getTime() + HOUR_MS) } })

  await ensureRecurring(store, { ...RECOVERY, intervalMs: 250 }, now)
  t.like(await store.findOne(RECOVERY), {
    ...kept,
    repeatInterval: 250,
    nextRunAt: new Date(now.getTime() + 250),
  })

  await ensureRecurring(store, { ...RECOVERY, intervalMs: HOUR_MS }, now)
  t.like(await store.findOne(RECOVERY), { repeatInterval: HOUR_MS, nextRunAt: new Date(now.getTime() + 250) })
})

test.serial('recovery runs at its interval, 250 ms at the shortest', async (t) => {
  const runs: number[] = []
  let transfers = 0
  const functions = scheduledFunctions({
    recoverBookings: () => void runs.push(performance.now()),
    recoverTransfers: () => void transfers++,
  })
  await start(t, await createJobsSystem(t, functions))
  await until(() => runs.length > 24, PATIENTLY)
  const gaps = runs.slice(1).map((at, i) => at - runs[i]!)
  const [shortest, quarter, median, longest] = [0, 0.25, 0.5, 1].map((share) =>
    Math.round(gaps.sort((a, b) => a - b)[Math.floor(share * (gaps.length - 1))]!),
  )
  t.log(`gaps in ms: shortest ${shortest}, a quarter up to ${quarter}, median ${median}, longest ${longest}`)
  // Never more often than told; on a busy machine now and then later.
  t.true(median! > 240, `${median}`)
  t.true(quarter! < 500, `${quarter}`)
  t.true(Math.abs(runs.length - transfers) <= 1)
})

test.serial('a call that fails neither stops the other one nor the schedule', async (t) => {
  let failing = true
  let transfers = 0
  const functions = scheduledFunctions({
    recoverBookings: () => {
      if (failing) throw new Error('secret')
    },
    recoverTransfers: () => void transfers++,
  })
  const system = await createJobsSystem(t, functions)
  const store = jobStore(system.databases)
  await start(t, system)

  await until(async () => ((await store.findOne(RECOVERY))?.failCount ?? 0) >= 3, PATIENTLY)
  t.true(transfers >= 3)
  t.regex((await store.findOne(RECOVERY))?.failReason ?? '', /^bookings\.recoverBookings: /)

  failing = false
  await until(async () => (await store.findOne(RECOVERY))?.failCount === 0, PATIENTLY)
  t.pass()
})

test.serial('a run renews its lock for as long as it takes, and nobody else runs the job meanwhile', async (t) => {
  let running = 0
  let atOnce = 0
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const functions = scheduledFunctions({
    recoverBookings: async () => {
      atOnce = Math.max(atOnce, ++running)
      await released
      running--
    },
  })
  const schedule: ScheduledJob[] = [
    { name: 'long', calls: [bookings.recoverBookings], intervalMs: () => 250, lockMs: () => LOCK_MS },
  ]
  const system = await createJobsSystem(t, functions)
  const other = await createJobsSystem(t, functions, { beside: system })
  await Promise.all([start(t, system, schedule), start(t, other, schedule)])
  t.teardown(release)
  const store = jobStore(system.databases)

  const takenAt = await until(
    async () => (running ? (await store.findOne({ name: 'long' }))?.lockedAt : null),
    PATIENTLY,
  )
  await until(async () => (await store.findOne({ name: 'long' }))!.lockedAt! > takenAt, PATIENTLY)
  t.is(atOnce, 1)
  release()
})

test.serial('a job whose holder died runs when it is due next, though its lock ends before that', async (t) => {
  const runs: number[] = []
  const system = await createJobsSystem(t, scheduledFunctions({ recoverBookings: () => void runs.push(Date.now()) }))
  const hourly: ScheduledJob[] = [
    { name: RECOVERY.name, calls: [bookings.recoverBookings], intervalMs: () => HOUR_MS, lockMs: () => 500 },
  ]
  const store = jobStore(system.databases)
  await ensureRecurring(store, { ...RECOVERY, intervalMs: HOUR_MS }, system.now())
  const nextRunAt = new Date(Date.now() + 3000)
  const dead = { nextRunAt, lockedAt: new Date(), lastModifiedBy: 'a dead process' }
  await store.updateOne(RECOVERY, { $set: dead })
  await start(t, system, hourly)
  await until(() => runs.length > 0, PATIENTLY)
  const lateMs = runs[0]! - nextRunAt.getTime()
  t.true(lateMs >= 0 && lateMs < SWEEP_MS / 2, `${lateMs} ms`)
})

test.serial('a stopping process waits for what runs and leaves no lock behind', async (t) => {
  let running = false
  let ended = false
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const functions = scheduledFunctions({
    recoverBookings: async () => {
      running = true
      await released
      ended = true
    },
  })
  const system = await createJobsSystem(t, functions)
  const scheduler = await startScheduler(system, SCHEDULE)
  await until(() => running, PATIENTLY)
  const stopped = scheduler.stop().then(() => t.true(ended))
  release()
  await stopped
  t.is(await jobStore(system.databases).countDocuments({ lockedAt: { $ne: null } }, { hint: '_id_' }), 0)
})

test.serial('a jobs process killed while it recovers delays recovery by its lock at most', async (t) => {
  let runs = 0
  const system = await createJobsSystem(t, scheduledFunctions({ recoverBookings: () => void runs++ }))
  const { lockMs, intervalMs } = system.config.recovery
  const child = fork(join(import.meta.dirname, 'holdingProcess.ts'), {
    execArgv: ['--import=tsx'],
    env: { ...process.env, ...system.env },
  })
  t.teardown(() => child.kill('SIGKILL'))
  const held = await Promise.race([once(child, 'message').then(() => true), once(child, 'exit').then(() => false)])
  t.true(held, 'the child ended by itself')
  const died = once(child, 'exit')
  child.kill('SIGKILL')
  await died
  const diedAt = performance.now()

  t.truthy((await jobStore(system.databases).findOne(RECOVERY))?.lockedAt)
  await start(t, system)
  await until(() => runs > 0, PATIENTLY)
  const delayMs = performance.now() - diedAt
  t.log(`recovered ${Math.round(delayMs)} ms after the death of the holder; its lock: ${lockMs} ms`)
  // The look that finds the lock ended comes within half an interval; the rest is for a busy machine.
  t.true(delayMs < lockMs + intervalMs + 3000, `${delayMs} ms`)
})
