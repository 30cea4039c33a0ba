import { MongoJobRepository } from '@agendajs/mongo-backend'
import { Agenda, type AgendaBackend, type JobParameters } from 'agenda'
import type mongoose from 'mongoose'
import { outOfReach } from '../platform/runtime/system.js'
import type { Logger } from '../platform/lib/log.js'
import { AHEAD_MS, DueJobs, SWEEP_MS } from './dueJobs.js'
import type { StoredJob } from './store.js'

/**
 * Agenda on a database that is already connected. What is defined before it starts runs here, each job when it is due.
 *
 * @param name whom Agenda notes as the holder of a lock
 * @param collection where the jobs stand
 * @param atOnce how many of one name may run here at the same time; of one job that is due again, one ever does
 */
export function createAgenda(
  db: mongoose.mongo.Db,
  options: { name: string; collection: string; atOnce?: number; log: Logger },
): Agenda {
  const { name, collection, atOnce = 1, log } = options
  const report = (error: Error): void => {
    // Each look fails while the database is away; the connection logs that, once.
    if (outOfReach(error)) log.debug({ err: error }, 'agenda: no database')
    // A timer that has rung is gone, which Agenda may notice while it still waits for the answer.
    else if (/no lockedAt date found/.test(error.message)) log.debug({ err: error }, 'agenda: the job is gone')
    else log.error({ err: error }, 'agenda failed')
  }
  const agenda = new Agenda({
    name,
    backend: backendOn(db, collection, report),
    processEvery: SWEEP_MS,
    defaultLockLimit: atOnce,
    defaultConcurrency: atOnce,
  })
  agenda.on('error', report)
  const dueJobs = new DueJobs(db.collection<StoredJob>(collection), agenda, log)
  agenda.notifyVia(dueJobs)
  // It has its next time now.
  agenda.on('complete', () => dueJobs.wake())
  return agenda
}

/** In place of the package's MongoBackend, which makes indexes by itself; here that is for migrations alone. */
function backendOn(db: mongoose.mongo.Db, collection: string, report: (error: Error) => void): AgendaBackend {
  class Repository extends MongoJobRepository {
    /**
     * Only what is due is taken. Agenda would take, and lock, what falls due before its next look as well, and a job whose
     * holder died whenever its next run is: it would hold them for longer than their locks last, and then never run them.
     */
    override async getNextJobToRun(
      ...[name, nextScanAt, ...rest]: Parameters<MongoJobRepository['getNextJobToRun']>
    ): Promise<JobParameters | undefined> {
      const latest = new Date(Math.min(nextScanAt.getTime(), Date.now() + AHEAD_MS))
      const job = await super.getNextJobToRun(name, latest, ...rest)
      if (!job?.nextRunAt || job.nextRunAt <= latest) return job
      await this.unlockJob(job)
      return undefined
    }
    /** Agenda does not wait for this one: a rejection would end the process. The lock ends by itself anyway. */
    override unlockJob(job: JobParameters): Promise<void> {
      return super.unlockJob(job).catch(report)
    }
  }
  const repository = new Repository({ mongo: db, db: { collection }, ensureIndex: false })
  return {
    name: 'MongoDB',
    repository,
    ownsConnection: false,
    connect: () => repository.connect(),
    disconnect: () => Promise.resolve(),
  }
}
