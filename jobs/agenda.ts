import { MongoJobRepository } from '@agendajs/mongo-backend'
import { Agenda, type AgendaBackend, type JobParameters } from 'agenda'
import type mongoose from 'mongoose'
import { outOfReach } from '../platform/system.js'
import type { Logger } from '../platform/log.js'
import { COLLECTION } from './store.js'

/**
 * Agenda on a database that is already connected.
 *
 * @param name whom Agenda notes as the holder of a lock
 */
export function createAgenda(
  db: mongoose.mongo.Db,
  { name, processEveryMs, log }: { name: string; processEveryMs: number; log: Logger },
): Agenda {
  const report = (error: Error): void => {
    // Polling fails several times a second while the database is away; the connection logs that, once.
    if (outOfReach(error)) log.debug({ err: error }, 'agenda: no database')
    else log.error({ err: error }, 'agenda failed')
  }
  const agenda = new Agenda({
    name,
    backend: backendOn(db, report),
    processEvery: processEveryMs,
    // A job that is due again while it still runs here waits for its end.
    defaultLockLimit: 1,
    defaultConcurrency: 1,
  })
  agenda.on('error', report)
  return agenda
}

/** In place of the package's MongoBackend, which makes indexes by itself; here that is for migrations alone. */
function backendOn(db: mongoose.mongo.Db, report: (error: Error) => void): AgendaBackend {
  class Repository extends MongoJobRepository {
    /** Agenda does not wait for this one: a rejection would end the process. The lock ends by itself anyway. */
    override unlockJob(job: JobParameters): Promise<void> {
      return super.unlockJob(job).catch(report)
    }
  }
  const repository = new Repository({ mongo: db, db: { collection: COLLECTION }, ensureIndex: false })
  return {
    name: 'MongoDB',
    repository,
    ownsConnection: false,
    connect: () => repository.connect(),
    disconnect: () => Promise.resolve(),
  }
}
