import type { mongo } from 'mongoose'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { loadConfig } from '../../config/index.js'
import { migrateUp } from '../../platform/migrations/migrations.js'
import type { Arm, ArmNumber } from './arms/arm.js'
import { endToEndArm } from './arms/endToEnd.js'
import { inProcessArm } from './arms/inProcess.js'
import { startInstallation } from './arms/installation.js'
import { socketTransactionArm } from './arms/socketTransaction.js'
import { transactionArm } from './arms/transaction.js'
import { twoPhaseArm } from './arms/twoPhase.js'
import { refill } from './seed.js'
import type { Server } from '../support/server.js'

/** An arm that is ready, and the database that it books in: with the product's own indexes and validators. */
export interface Stage {
  arm: Arm
  db: mongo.Db
  close(): Promise<void>
}

export async function openStage(
  number: ArmNumber,
  {
    server,
    client,
    directory,
    placement,
  }: { server: Server; client: mongo.MongoClient; directory: string; placement: string },
): Promise<Stage> {
  const name = `arm${number}`
  const uri = server.uri(name)
  const db = client.db(name)
  await migrate(uri)
  // Clients of the end-to-end arms are known users from the start.
  await refill(db)
  const logFile = join(directory, `${name}.log`)
  switch (number) {
    case 1:
      return stage(await transactionArm(uri))
    case 2:
      return stage(await twoPhaseArm(uri))
    case 3:
      return stage(await inProcessArm(environment(uri), logFile))
    case 4: {
      const installation = await startInstallation(uri, placement)
      return stage(await endToEndArm(installation), installation.stop)
    }
    case 5:
      return stage(await socketTransactionArm(uri, logFile))
  }

  function stage(arm: Arm, stop: () => Promise<void> = () => Promise.resolve()): Stage {
    return { arm, db, close: () => arm.close().then(stop) }
  }
}

/** Settings of a system in this process. */
export const environment = (uri: string): Record<string, string> => ({
  NODE_ENV: 'test',
  MONGODB_URI: uri,
  AUTH_SECRET: randomBytes(32).toString('hex'),
  CLUSTER_SECRET: randomBytes(32).toString('hex'),
})

export const migrate = (uri: string): Promise<string[]> => migrateUp(loadConfig(environment(uri)))
