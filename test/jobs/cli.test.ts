import test, { type ExecutionContext } from 'ava'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { startScheduler } from '../../jobs/scheduler.js'
import { SCHEDULE } from '../../jobs/schedule.js'
import mongoose from 'mongoose'
import { jobStore, timerStore, type JobStore, type StoredJob } from '../../jobs/store.js'
import type { TestSystem } from '../support/system.js'
import { until } from '../../proof/support/until.js'
import { createJobsSystem } from './jobsSystem.js'
import { scheduledFunctions } from './scheduledFunctions.js'

const CLI = join(import.meta.dirname, '../../cli/jobs.ts')
const DAY_MS = 24 * 3_600_000
const PAST = new Date('2026-01-01T00:00:00.000Z')
const LATER = new Date('2126-01-01T00:00:00.000Z')

/** What `npm run jobs -- ...` prints, and how it ends. */
function run(env: NodeJS.ProcessEnv, ...args: string[]): Promise<{ code: number; out: string; error: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--import=tsx', CLI, ...args],
      { env: { ...process.env, ...env } },
      (_error, out, error) => resolve({ code: child.exitCode ?? -1, out, error }),
    )
  })
}

async function withJobs(
  t: ExecutionContext,
  ...jobs: Partial<StoredJob>[]
): Promise<{ system: TestSystem; store: JobStore }> {
  const system = await createJobsSystem(t)
  const store = jobStore(system.databases)
  for (const job of jobs)
    await store.insertOne({ name: 'job', type: 'normal', priority: 0, nextRunAt: null, ...job } as StoredJob)
  return { system, store }
}

test('list shows when each job runs, how it went, and who holds it', async (t) => {
  const { system } = await withJobs(
    t,
    {
      ...{ name: 'recover-bookings', type: 'single', nextRunAt: LATER, lastRunAt: PAST, lastFinishedAt: PAST },
      ...{ failedAt: PAST, failCount: 3, failReason: 'no', lockedAt: PAST, lastModifiedBy: 'host:1' },
    },
    { name: 'tidy', type: 'single', nextRunAt: LATER, disabled: true },
    { name: 'tidy', lastRunAt: PAST, lastFinishedAt: PAST, lastModifiedBy: 'host:1' },
  )
  const { code, out } = await run(system.env, 'list')
  t.is(code, 0)
  t.regex(out, /^NAME +NEXT RUN +LAST RUN +RESULT +FAILURES +LOCKED SINCE +LOCKED BY +ID$/m)
  const [past, later] = ['2026-01-01T00:00:00.000Z', '2126-01-01T00:00:00.000Z']
  t.regex(out, new RegExp(`^recover-bookings +${later} +${past} +failed +3 +${past} +host:1 +[0-9a-f]{24}$`, 'm'))
  t.regex(out, /^tidy +paused +- +- +0 +- +- +[0-9a-f]{24}$/m)
  t.regex(out, new RegExp(`^tidy +- +${past} +ok +0 +- +- +[0-9a-f]{24}$`, 'm'))
})

test('show prints everything of a job, by name or by id', async (t) => {
  const { system, store } = await withJobs(t, { failReason: 'no', failedAt: PAST, lastFinishedAt: PAST })
  const id = (await store.findOne())!._id.toHexString()
  for (const target of ['job', id]) {
    const { code, out } = await run(system.env, 'show', target)
    t.is(code, 0)
    t.like(JSON.parse(out), { _id: id, name: 'job', failReason: 'no', result: 'failed' })
  }
})

test('requeue runs a job now that failed, waits, and is locked by the dead', async (t) => {
  let runs = 0
  const system = await createJobsSystem(t, scheduledFunctions({ recoverBookings: () => void runs++ }))
  const store = jobStore(system.databases)
  const hourly = SCHEDULE.map((job) => ({ ...job, intervalMs: () => 3_600_000 }))
  const scheduler = await startScheduler(system, hourly)
  t.teardown(() => scheduler.stop())
  await until(async () => (await store.findOne({ name: 'recover-bookings' }))?.lastFinishedAt, { timeoutMs: 60_000 })
  const failure = { failedAt: LATER, failCount: 1, failReason: 'no', lockedAt: LATER, lastModifiedBy: 'dead:1' }
  await store.updateOne({ name: 'recover-bookings' }, { $set: failure })
  const before = runs

  const { code, out } = await run(system.env, 'requeue', 'recover-bookings')
  t.is(code, 0)
  t.regex(out, /recover-bookings \([0-9a-f]{24}\) is due now\.\nIts lock, held by dead:1 since .*, is gone\./)
  await until(() => runs > before, { timeoutMs: 60_000 })
  t.pass()
})

test('requeue takes the recurring job before single runs of its name, and leaves a paused one', async (t) => {
  const { system, store } = await withJobs(
    t,
    { name: 'tidy', lastFinishedAt: PAST },
    { name: 'tidy', type: 'single', nextRunAt: LATER },
    { name: 'paused', type: 'single', nextRunAt: LATER, disabled: true },
  )
  t.is((await run(system.env, 'requeue', 'tidy')).code, 0)
  t.true((await store.findOne({ name: 'tidy', type: 'single' }))!.nextRunAt! < LATER)
  t.is((await store.findOne({ name: 'tidy', type: 'normal' }))!.nextRunAt, null)

  const { code, error } = await run(system.env, 'requeue', 'paused')
  t.is(code, 1)
  t.regex(error, /^paused is paused: resume it in agendash first\.$/m)
  t.deepEqual((await store.findOne({ name: 'paused' }))!.nextRunAt, LATER)
})

test('list shows timers of orders that failed, and requeue rings one again', async (t) => {
  const { system } = await withJobs(t)
  const timers = timerStore(system.databases)
  const timer = { name: 'expire-order', type: 'normal' as const, priority: 0, lockedAt: null, failedAt: PAST }
  const _id = new mongoose.mongo.ObjectId()
  const parked = { ...timer, _id, nextRunAt: null, lastFinishedAt: PAST, failCount: 15 }
  await timers.insertMany([parked, { ...timer, _id: new mongoose.mongo.ObjectId(), nextRunAt: LATER }])
  const { out } = await run(system.env, 'list')
  t.regex(out, new RegExp(`^expire-order +parked +- +failed +15 +- +- +${_id.toHexString()}$`, 'm'))
  t.is(out.match(/^expire-order/gm)?.length, 1)

  t.is((await run(system.env, 'requeue', _id.toHexString())).code, 0)
  const requeued = await timers.findOne({ _id })
  t.true(requeued?.failCount === 0 && requeued.nextRunAt !== null)
})

test('purge removes single runs that ended long enough ago, and only with --yes', async (t) => {
  const ago = (days: number): Date => new Date(Date.now() - days * DAY_MS)
  const { system, store } = await withJobs(
    t,
    { name: 'old', lastFinishedAt: ago(8) },
    { name: 'old and failed', lastFinishedAt: ago(8), failedAt: ago(8) },
    { name: 'younger', lastFinishedAt: ago(6) },
    { name: 'waiting again', lastFinishedAt: ago(8), nextRunAt: LATER },
    { name: 'running again', lastFinishedAt: ago(8), lockedAt: new Date() },
    { name: 'recurring', type: 'single', lastFinishedAt: ago(8) },
  )
  const dry = await run(system.env, 'purge')
  t.is(dry.code, 0)
  t.regex(dry.out, /: 2\. Add --yes to remove them\./)
  t.is(await store.countDocuments(), 6)

  t.regex((await run(system.env, 'purge', '--yes')).out, /^Removed: 2\.$/m)
  t.is(await store.countDocuments({ name: /^old/ }), 0)
  t.regex((await run(system.env, 'purge', '--older-than', '5d', '--yes')).out, /^Removed: 1\.$/m)
  t.is(await store.countDocuments(), 3)
})

test('what is wrong is said in a sentence and ends with exit code 1', async (t) => {
  const { system } = await withJobs(t)
  const cases: [RegExp, NodeJS.ProcessEnv, ...string[]][] = [
    [/^npm run jobs -- </, system.env, 'requeue'],
    [/^There is no job "nobody"\. npm run jobs -- list shows all\.$/m, system.env, 'requeue', 'nobody'],
    [/^--older-than 7: not an age like 90s, 15m, 12h or 7d\.$/m, system.env, 'purge', '--older-than', '7'],
    [/^--older-than and --yes belong to purge\./, system.env, 'list', '--yes'],
    [/^Unknown option '--force'/, system.env, 'requeue', 'tidy', '--force'],
    [
      /^MongoDB is out of reach at 127\.0\.0\.1:1\/holdfast \(/m,
      { ...system.env, MONGODB_URI: 'mongodb://127.0.0.1:1' },
      'list',
    ],
  ]
  await Promise.all(
    cases.map(async ([expected, env, ...args]) => {
      const { code, out, error } = await run(env, ...args)
      t.is(code, 1, args.join(' '))
      t.is(out, '')
      t.regex(error, expected)
      t.notRegex(error, /\n {4}at /)
    }),
  )
  const help = await run({}, '--help')
  t.is(help.code, 0)
  t.regex(help.out, /^npm run jobs -- </)
})
