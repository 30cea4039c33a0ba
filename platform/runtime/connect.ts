import { setTimeout as sleep } from 'node:timers/promises'
import { placeOf } from '../../config/index.js'
import { refuseUnfit } from '../database/server.js'
import { assertMigrated } from '../migrations/migrations.js'
import { outOfReach, type System } from './system.js'

const DATABASE_RETRY_MS = 500

/** Waits while the domain's database is out of reach; rejects where it can't be used. */
export async function connect({ config, databases, log }: System, domain: string): Promise<void> {
  for (;;) {
    try {
      await databases.connect([domain])
      const { db } = databases.connection(domain)
      if (db) await refuseUnfit(db, placeOf(config.mongodbUri(domain)))
      await assertMigrated(config, domain)
      return
    } catch (error) {
      // Without an address the embedded MongoDB is meant, and has not been started yet.
      if (config.mongodbUri(domain) && !outOfReach(error)) throw error
      log.warn({ domain, reason: (error as Error).message }, 'waiting for MongoDB')
      await sleep(DATABASE_RETRY_MS)
    }
  }
}
