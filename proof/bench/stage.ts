import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { loadConfig } from '../../config/index.js'
import { migrateUp } from '../../platform/migrations/migrations.js'
import type { Arm, ArmNumber } from './arms/arm.js'
import { endToEndArm } from './arms/endToEnd.js'
import { inProcessArm } from './arms/inProcess.js'
import { startInstallation, type Installation } from './arms/installation.js'
import { startShipped } from './arms/shipped.js'
import { socketTransactionArm } from './arms/socketTransaction.js'
import { transactionArm } from './arms/transaction.js'
import { twoPhaseArm } from './arms/twoPhase.js'
import { mongoBooks, openServer, postgresBooks, type Books } from './books.js'
import type { Options } from './options.js'
import { createSchema } from './postgres/schema.js'
import { startPostgres } from './postgres/server.js'

/** An arm that is ready, and the books that it writes. */
export interface Stage {
  arm: Arm
  books: Books
  close(): Promise<void>
}

/** Calls, writes and flushes are shared within a process: on two cores, one for the functions carries most. */
const IN_ONE_APP = 'functions=1,gateway=1'

/**
 * Each arm has a database server of its own, all of a kind started alike, of which one at a time has work: on one for
 * all, the product's change streams would look at every write of its rivals. Throws NoPostgres where there is none.
 */
export const openStage = (number: ArmNumber, options: StageOptions): Promise<Stage> =>
  isOnPostgres(number) ? onPostgres(number, options) : onMongo(number, options)

export const isOnPostgres = (number: ArmNumber): number is 7 | 8 => number === 7 || number === 8

type StageOptions = { directory: string } & Pick<Options, 'nodes' | 'placement'>

const logFileOf = (number: ArmNumber, { directory }: StageOptions): string => join(directory, `arm${number}.log`)

async function onMongo(number: Exclude<ArmNumber, 7 | 8>, options: StageOptions): Promise<Stage> {
  const { server, client, close } = await openServer(options.nodes)
  const uri = server.uri('bench')
  const books = mongoBooks(client.db('bench'), server)
  try {
    // With the product's own indexes and validators, whoever writes.
    await migrate(uri)
    // Clients of the end-to-end arms are known users from the start.
    await books.refill()
    const { arm, stop } = await open()
    return { arm, books, close: () => arm.close().then(stop).finally(close) }
  } catch (error) {
    await close()
    throw error
  }

  async function open(): Promise<{ arm: Arm; stop?: () => Promise<void> }> {
    switch (number) {
      case 1:
        return { arm: await transactionArm(uri) }
      case 2:
        return { arm: await twoPhaseArm(uri) }
      case 3:
        return { arm: await inProcessArm(environment(uri), logFileOf(number, options)) }
      case 4:
        return endToEnd(await startShipped(uri, options.placement), number)
      case 5:
        return { arm: await socketTransactionArm(number, uri, logFileOf(number, options)) }
      case 6:
        return endToEnd(await startInstallation(uri, IN_ONE_APP), number)
    }
  }
}

const endToEnd = async (
  installation: Installation,
  number: ArmNumber,
): Promise<{ arm: Arm; stop(): Promise<void> }> => ({
  arm: await endToEndArm(installation, number),
  stop: installation.stop,
})

async function onPostgres(number: 7 | 8, options: StageOptions): Promise<Stage> {
  const server = await startPostgres()
  const db = new pg.Pool({ connectionString: server.uri, max: 1 })
  const close = async (): Promise<void> => {
    await db.end()
    await server.stop()
  }
  try {
    await createSchema(db)
    const arm = await socketTransactionArm(number, server.uri, logFileOf(number, options))
    return { arm, books: postgresBooks(db, server), close: () => arm.close().finally(close) }
  } catch (error) {
    await close()
    throw error
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
