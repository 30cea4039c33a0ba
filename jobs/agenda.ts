import { MongoJobRepository } from '@agendajs/mongo-backend'
import { Agenda, type AgendaBackend, type JobParameters } from 'agenda'
import type mongoose from 'mongoose'
import { outOfReach } from '../platform/runtime/system.js'
import type { Logger } from '../platform/lib/log.js'

/**
 * Agenda on a database that is already connected.
 *
 * @param name whom Agenda notes as the holder of a lock
 * @param collection where the jobs stand
 * @param atOnce how many of one name may run here at the same time; of one job that is due again, one ever does
 */
export function createAgenda(
  db: mongoose.mongo.Db,
  options: { name: string; collection: string; processEveryMs: number; atOnce?: number; log: Logger },
): Agenda {
  const { name, collection, processEveryMs, atOnce = 1, log } = options
  const report = (error: Error): void => {
    // Polling fails several times a second while the database is away; the connection logs that, once.
    if (outOfReach(error)) log.debug({ err: error }, 'agenda: no database')
    // A timer that has rung is gone, which Agenda may notice while it still waits for the answer.
    else if (/no lockedAt date found/.test(error.message)) log.debug({ err: error }, 'agenda: the job is gone')
    else log.error({ err: error }, 'agenda failed')
  }
  const agenda = new Agenda({
    name,
    backend: backendOn(db, collection, report),
    processEvery: processEveryMs,
    defaultLockLimit: atOnce,
    defaultConcurrency: atOnce,
  })
  agenda.on('error', report)
  return agenda
}

/** In place of the package's MongoBackend, which makes indexes by itself; here that is for migrations alone. */
function backendOn(db: mongoose.mongo.Db, collection: string, report: (error: Error) => void): AgendaBackend {
  class Repository extends MongoJobRepository {
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
