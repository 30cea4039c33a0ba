import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { loadConfig } from '../../config/index.js'
import { migrateUp } from '../../platform/migrations/migrations.js'
import type { Arm, ArmNumber } from './arms/arm.js'
import { endToEndArm } from './arms/endToEnd.js'
import { inProcessArm } from './arms/inProcess.js'
import { startInstallation } from './arms/installation.js'
import { startShipped } from './arms/shipped.js'
import { socketTransactionArm } from './arms/socketTransaction.js'
import { transactionArm } from './arms/transaction.js'
import { twoPhaseArm } from './arms/twoPhase.js'
import { mongoBooks, openServer, type Books } from './books.js'
import type { Options } from './options.js'

/** An arm that is ready, and the books that it writes. */
export interface Stage {
  arm: Arm
  books: Books
  close(): Promise<void>
}

/** Calls, writes and flushes are shared within a process: on two cores, one for the functions carries most. */
const IN_ONE_APP = 'functions=1,gateway=1'

/**
 * Each arm has a mongod of its own, all of them started alike, of which one at a time has work: on one for all, the
 * product's change streams would look at every write of its rivals. It has the product's own indexes and validators.
 */
export async function openStage(
  number: ArmNumber,
  { directory, nodes, placement }: { directory: string } & Pick<Options, 'nodes' | 'placement'>,
): Promise<Stage> {
  const { server, client, close } = await openServer(nodes)
  const uri = server.uri('bench')
  const logFile = join(directory, `arm${number}.log`)
  const books = mongoBooks(client.db('bench'), server)
  try {
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
        return { arm: await inProcessArm(environment(uri), logFile) }
      case 4:
      case 6: {
        const installation = await (number === 4 ? startShipped(uri, placement) : startInstallation(uri, IN_ONE_APP))
        return { arm: await endToEndArm(installation, number), stop: installation.stop }
      }
      case 5:
        return { arm: await socketTransactionArm(uri, logFile) }
    }
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
