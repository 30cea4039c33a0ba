import { loadConfig } from '../config/index.js'
import { createDatabases } from '../platform/database/database.js'
import { createLogger } from '../platform/lib/log.js'
import {
  countFinished,
  findJob,
  isParked,
  jobStore,
  listFailedTimers,
  listJobs,
  purgeFinished,
  requeueJob,
  timerStore,
  type JobStore,
  type StoredJob,
} from '../jobs/store.js'
import { command, CommandFailure } from './lib/command.js'
import { reach } from './lib/reach.js'
import { table } from '../client/apps/show.js'

const USAGE = `npm run jobs -- <what to do>

  list                  every job: next and last run, its result, failures since the last success, who holds its lock;
                        and each timer of an order that rang in vain, under the order's id: parked after 15 times
  show <id|name>        everything about one job
  requeue <id|name>     run it now, whatever holds it back: its next time, failures, the lock of a dead process.
                        A run in progress goes on beside it; jobs are made for that
  purge                 what would be removed: single runs that ended (recurring jobs stay)
    --older-than <age>  so long ago or longer: 90s, 15m, 12h, 7d (default 7d)
    --yes               remove them

A name stands for the recurring job of that name, else for its latest single run. Works on MongoDB alone: the system
need not run, but a job runs only when it does.`

const OPTIONS = { 'older-than': { type: 'string' }, yes: { type: 'boolean' } } as const

await command(USAGE, OPTIONS, async ({ 'older-than': age, yes }, [verb, target, ...rest]) => {
  if (rest.length > 0) throw new CommandFailure(`One job at a time, please.\n\n${USAGE}`)
  if (verb !== 'purge' && (age !== undefined || yes !== undefined))
    throw new CommandFailure(`--older-than and --yes belong to purge.\n\n${USAGE}`)
  if (verb === 'list' && !target)
    return withStores(async (stores) =>
      print(overview([...(await listJobs(stores.jobs)), ...(await listFailedTimers(stores.timers))])),
    )
  if (verb === 'show' && target) return withStores(async (stores) => print(details((await theJob(stores, target)).job)))
  if (verb === 'requeue' && target) return withStores((stores) => requeue(stores, target))
  if (verb === 'purge' && !target) return purge(parseAge(age ?? '7d'), yes ?? false)
  throw new CommandFailure(USAGE)
})

async function requeue(stores: Stores, target: string): Promise<void> {
  const { job, store } = await theJob(stores, target)
  if (!(await requeueJob(store, job._id, new Date())))
    throw new CommandFailure(`${job.name} is paused: resume it in agendash first.`)
  print(`${job.name} (${job._id.toHexString()}) is due now.`)
  if (job.lockedAt) print(`Its lock, held by ${job.lastModifiedBy ?? '?'} since ${time(job.lockedAt)}, is gone.`)
}

function purge(ageMs: number, yes: boolean): Promise<void> {
  const before = new Date(Date.now() - ageMs)
  return withStores(async ({ jobs }) => {
    if (yes) print(`Removed: ${await purgeFinished(jobs, before)}.`)
    else print(`Ended before ${time(before)}: ${await countFinished(jobs, before)}. Add --yes to remove them.`)
  })
}

interface Stores {
  jobs: JobStore
  timers: JobStore
}

async function theJob({ jobs, timers }: Stores, target: string): Promise<{ job: StoredJob; store: JobStore }> {
  for (const store of [jobs, timers]) {
    const job = await findJob(store, target)
    if (job) return { job, store }
  }
  throw new CommandFailure(`There is no job "${target}". npm run jobs -- list shows all.`)
}

async function withStores(work: (stores: Stores) => Promise<void>): Promise<void> {
  const config = loadConfig()
  const domains = ['jobs', 'expirations']
  await reach(config, domains)
  const databases = createDatabases(config, createLogger('jobs-cli', 'silent'))
  try {
    await databases.connect(domains).catch((error: Error) => {
      throw new CommandFailure(`MongoDB is out of reach: ${error.message}`, { cause: error })
    })
    await work({ jobs: jobStore(databases), timers: timerStore(databases) })
  } finally {
    await databases.close()
  }
}

function overview(jobs: StoredJob[]): string {
  if (jobs.length === 0) return 'No jobs. The jobs app writes its schedule when it starts.'
  const header = ['NAME', 'NEXT RUN', 'LAST RUN', 'RESULT', 'FAILURES', 'LOCKED SINCE', 'LOCKED BY', 'ID']
  const rows = jobs.map((job) => [
    job.name,
    job.disabled ? 'paused' : isParked(job) ? 'parked' : time(job.nextRunAt),
    time(job.lastRunAt),
    result(job),
    String(job.failCount ?? 0),
    time(job.lockedAt),
    (job.lockedAt && job.lastModifiedBy) || '-',
    job._id.toHexString(),
  ])
  return table(header, rows)
}

/** As stored, so that nothing is left out, whoever wrote it. */
function details(job: StoredJob): string {
  return JSON.stringify({ ...job, result: result(job) }, null, 2)
}

function result({ lastFinishedAt, failedAt }: StoredJob): 'ok' | 'failed' | '-' {
  if (!lastFinishedAt) return '-'
  return failedAt && failedAt >= lastFinishedAt ? 'failed' : 'ok'
}

function time(date: Date | null | undefined): string {
  return date?.toISOString() ?? '-'
}

function parseAge(age: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(age) ?? []
  if (!count || !unit) throw new CommandFailure(`--older-than ${age}: not an age like 90s, 15m, 12h or 7d.`)
  return Number(count) * { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as 's' | 'm' | 'h' | 'd']
}

function print(text: string): void {
  console.log(text)
}
