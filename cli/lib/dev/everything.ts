import { ObjectId } from 'bson'
import { pino } from 'pino'
import pretty from 'pino-pretty'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../../config/index.js'
import { watchFeeds } from '../../../gateway/feedWatch.js'
import { createGateway } from '../../../gateway/server.js'
import { SCHEDULE } from '../../../jobs/schedule.js'
import { startScheduler } from '../../../jobs/scheduler.js'
import { startTimers } from '../../../jobs/timers.js'
import type { Operation } from '../../../platform/contract/contract.js'
import { startDispatching } from '../../../platform/events/dispatcher.js'
import { migrateUp } from '../../../platform/migrations/migrations.js'
import type { FunctionDefinition } from '../../../platform/runtime/function.js'
import { connect } from '../../../platform/runtime/connect.js'
import { createSystem, type System } from '../../../platform/runtime/system.js'
import { domainsWithDatabase, listTree, loadContracts, loadFunction } from '../../../platform/runtime/tree.js'
import { followersOf } from '../../../projections/followers.js'
import { startFollowers } from '../../../projections/runner.js'
import { watchForTrouble } from '../../../projections/watch.js'
import { createWebhooks } from '../../../webhooks/server.js'
import { inWords, type FromProcess } from './messages.js'

/** Who waits at a keyboard does not wait for connections to drain. What is cut short, recovery ends. */
const STOP_MS = 2000

/** A whole system in this process, loaded and connected; nothing of it works yet. */
export interface Everything {
  /** Returns when the gateway answers and events, views and jobs are worked on. */
  begin(): Promise<void>
  /** Puts what was saved in a function's file in the place of what answers. */
  reload(file: string): Promise<void>
  /** Ends the process. */
  end(): Promise<never>
}

export async function load(tell: (message: FromProcess) => void): Promise<Everything> {
  const config = loadConfig()
  const log = pino(
    { level: config.logLevel },
    pretty({
      sync: true,
      singleLine: true,
      ignore: 'pid,hostname',
      translateTime: 'HH:MM:ss',
      colorize: process.stdout.isTTY,
    }),
  )
  const tree = new Map(listTree().map((located) => [located.file, located]))
  const functions = new Map(
    await Promise.all([...tree].map(async ([file, located]) => [file, await loadFunction(located)] as const)),
  )
  const contracts = await loadContracts()
  const system = createSystem({
    app: 'dev',
    config,
    log,
    // Whatever was loaded last answers; calls under way end in the code that they began in.
    functions: [...functions].map(([file, { operation }]) => ({
      operation,
      handler: (ctx, input) => (functions.get(file) as FunctionDefinition).handler(ctx, input),
    })),
  })
  await migrateUp(config, { say: (line) => log.info(line) })
  for (const domain of new Set([...domainsWithDatabase(), 'jobs'])) await connect(system, domain)

  let stop = (): Promise<unknown> => Promise.resolve()
  let versions = 0
  return {
    async begin() {
      stop = await work(system, contracts)
    },
    async end() {
      await Promise.race([stop().then(() => system.close()), sleep(STOP_MS)])
      process.exit(0)
    },
    async reload(file) {
      const located = tree.get(file)
      if (!located) return
      const name = `${located.domain}.${located.operation}`
      try {
        functions.set(file, await loadFunction(located, `version=${++versions}`))
        tell({ is: 'reloaded', name })
      } catch (error) {
        tell({ is: 'refused', name, why: inWords(error) })
      }
    },
  }
}

/** Gateway, events, views and jobs of the system. Answers how to stop them. */
async function work(system: System, contracts: Map<string, Operation>): Promise<() => Promise<unknown>> {
  const { config, log } = system
  const gateway = createGateway({
    config,
    log,
    contracts,
    request: (envelope) => system.handle(envelope),
    watchFeeds: watchFeeds(system),
    now: () => new Date(),
    newId: () => new ObjectId().toHexString(),
  })
  await gateway.listen()
  const webhooks = config.stripe.secretKey ? createWebhooks(system) : undefined
  await webhooks?.listen()
  const workers = [
    await startDispatching(system),
    startFollowers(system, followersOf(system)),
    await startScheduler(system, SCHEDULE),
    await startTimers(system),
  ]
  const watch = watchForTrouble(system)
  return () => {
    watch.stop()
    return Promise.all([gateway.drain(), webhooks?.close(), ...workers.map((each) => each.stop())])
  }
}
