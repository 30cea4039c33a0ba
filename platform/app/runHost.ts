import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../config/index.js'
import { connect } from '../runtime/connect.js'
import { createCoteTransport } from '../calls/cote.js'
import type { Logger } from '../lib/log.js'
import { createSystem, type System } from '../runtime/system.js'
import { watchStalls } from './stallWatch.js'
import { domainsWithDatabase, loadFunctions } from '../runtime/tree.js'

export interface HostOptions {
  /** PM2 app. */
  app: string
  /** By name, as in the tree. */
  operations: readonly string[]
  config: Config
  log: Logger
  /** Another functions/ than ours. */
  root?: string
}

export interface RunningHost {
  system: System
  /** Lets callers leave, ends what is in flight, closes; takes config.drainMs at most. */
  stop(): Promise<void>
}

/**
 * Hosts functions: resolves when they answer. Waits while their databases are out of reach; rejects where a function
 * can't be loaded, a migration is pending, or an address can't be had.
 */
export async function runHost(options: HostOptions): Promise<RunningHost> {
  const { app, operations, config, log, root } = options
  const functions = await loadFunctions(operations, root)
  const hosted = new Set(functions.map(({ operation }) => operation.domain))
  const transport = await createCoteTransport({ config, log })
  const names = functions.map(({ operation }) => `${operation.domain}.${operation.name}`)
  const underWay = watchStalls({ app, operations: names })
  const system = createSystem({ app, config, log, functions, transport, underWay })
  system.onClose(underWay.stop)
  try {
    const domains = domainsWithDatabase(root).filter((domain) => hosted.has(domain))
    await Promise.all(domains.map((domain) => connect(system, domain)))
    await transport.serve({ app, operations: names, handle: system.handle, health: system.health })
  } catch (error) {
    await system.close()
    throw error
  }
  return {
    system,
    async stop() {
      const stopped = transport.drain(config.drainMs).then(() => system.close())
      await Promise.race([stopped, sleep(config.drainMs, undefined, { ref: false })])
    },
  }
}
