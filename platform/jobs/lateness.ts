import type { Backlog } from '../contract/backlog.js'
import { inWords } from '../lib/duration.js'
import type { System } from '../runtime/system.js'

/** Where Agenda keeps its jobs; also its own default, so that other tools for Agenda find them. */
export const JOBS_COLLECTION = 'agendaJobs'

/** A restart of the jobs process takes seconds; a job that is this late does not run. */
const LATE_MS = 30_000
const READ_MS = 500

interface Recurring {
  name: string
  nextRunAt: Date | null
  lockedAt?: Date | null
  disabled?: boolean | null
  failCount?: number | null
}

/**
 * Whether the recurring jobs run, by what stands in their database: so it shows too where no process of jobs is left to
 * say so. `system.use(jobsLateness)`. Nothing to tell before jobs ran for the first time.
 */
export function jobsLateness(system: System): () => Promise<Backlog['checks']> {
  const { databases } = system
  let connecting: Promise<void> | undefined

  async function read(): Promise<Recurring[]> {
    connecting ??= databases.connect(['jobs']).catch((error: unknown) => {
      connecting = undefined
      throw error
    })
    await connecting
    const { db } = databases.connection('jobs')
    if (!db) return []
    return db
      .collection<Recurring & { type: string }>(JOBS_COLLECTION)
      .find({ type: 'single' }, { hint: 'one_recurring_job_per_name', maxTimeMS: READ_MS, limit: 100 })
      .toArray()
  }

  return async () => {
    const jobs = await read()
    if (jobs.length === 0) return []
    const troubles = jobs.flatMap((job) => troubleOf(job, system.now()))
    return [{ name: 'jobs', ok: troubles.length === 0, detail: troubles.join('; ') || `${jobs.length} run in time` }]
  }
}

function troubleOf({ name, nextRunAt, lockedAt, disabled, failCount }: Recurring, now: Date): string[] {
  if (disabled) return [`${name} is paused`]
  const lateMs = nextRunAt ? now.getTime() - nextRunAt.getTime() : 0
  // A run that takes long renews its lock meanwhile.
  const runs = lockedAt && now.getTime() - lockedAt.getTime() < LATE_MS
  if (lateMs > LATE_MS && !runs)
    return [`${name} is late by ${inWords(lateMs)}: does the app "jobs", or "background", run?`]
  return failCount && failCount >= MANY_FAILURES ? [`${name} failed ${failCount} times in a row`] : []
}

/** One that fails once or twice met a restart, or a call that came too late. */
const MANY_FAILURES = 5
