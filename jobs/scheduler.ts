import type { Job } from 'agenda'
import { hostname } from 'node:os'
import type { System } from '../platform/runtime/system.js'
import { createAgenda } from './agenda.js'
import type { ScheduledJob } from './schedule.js'
import { JOBS_COLLECTION } from '../platform/jobs/lateness.js'
import { ensureRecurring, jobsDatabase, jobStore } from './store.js'

const KEEP_SCHEDULE_EVERY_MS = 60_000

export interface Scheduler {
  /** Takes no new job, waits for the running ones (config.drainMs at most) and lets go of their locks. */
  stop(): Promise<void>
}

/** Runs the scheduled jobs from this process. Any number of processes may do so: each run has one holder. */
export async function startScheduler(system: System, schedule: readonly ScheduledJob[]): Promise<Scheduler> {
  const { config, log } = system
  const store = jobStore(system.databases)
  const owner = `${hostname()}:${process.pid}`
  const agenda = createAgenda(jobsDatabase(system.databases), {
    name: owner,
    collection: JOBS_COLLECTION,
    log,
  })

  for (const job of schedule) {
    const lockMs = job.lockMs(config)
    agenda.define(job.name, (run: Job) => holdingLock(run, lockMs, () => callAll(job)), { lockLifetime: lockMs })
  }

  const keepSchedule = async (): Promise<void> => {
    for (const job of schedule)
      await ensureRecurring(store, { name: job.name, intervalMs: job.intervalMs(config) }, system.now())
  }
  await keepSchedule()
  // agendash can delete a recurring job. Without recovery money would stay stuck, so what was deleted comes back.
  const keeper = setInterval(
    () => void keepSchedule().catch((error: unknown) => log.warn({ err: error }, 'the schedule was not checked')),
    KEEP_SCHEDULE_EVERY_MS,
  )
  await agenda.start()

  /** A lock is much shorter than a run may be: it is renewed for as long as the run takes. */
  async function holdingLock(run: Job, lockMs: number, work: () => Promise<void>): Promise<void> {
    let renewal = Promise.resolve()
    const timer = setInterval(() => {
      renewal = run
        .touch()
        .catch((error: unknown) => log.warn({ err: error, job: run.attrs.name }, 'the lock of a job was not renewed'))
    }, lockMs / 3)
    try {
      await work()
    } finally {
      clearInterval(timer)
      // Agenda unlocks the job after this: a renewal that lands later would lock it again.
      await renewal
    }
  }

  /** All calls are made, whatever becomes of the others; one that failed fails the run, and the next run makes it again. */
  async function callAll({ name, calls }: ScheduledJob): Promise<void> {
    const requestId = system.newId()
    const failures: string[] = []
    await Promise.all(
      calls.map(async (operation) => {
        const call = `${operation.domain}.${operation.name}`
        try {
          const result = await system.call(operation, {}, { caller: null, requestId })
          log.debug({ requestId, job: name, call, result }, 'job called')
        } catch (error) {
          log.error({ err: error, requestId, job: name, call }, 'job failed')
          failures.push(`${call}: ${(error as Error).message}`)
        }
      }),
    )
    if (failures.length > 0) throw new Error(failures.join('; '))
  }

  return {
    async stop() {
      clearInterval(keeper)
      const { running } = await agenda.drain(config.drainMs)
      if (running > 0) log.warn({ running }, 'jobs were still running')
      // drain() keeps the locks of jobs that were taken ahead of their time: they would wait for the locks' end.
      await store
        .updateMany({ lastModifiedBy: owner, lockedAt: { $ne: null } }, { $set: { lockedAt: null } })
        .catch((error: unknown) => log.warn({ err: error }, 'locks were not released'))
    },
  }
}
