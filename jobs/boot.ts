import { loadConfig } from '../config/index.js'
import { createCoteTransport } from '../platform/cote.js'
import { createLogger } from '../platform/log.js'
import { connect } from '../platform/runHost.js'
import { createSystem, type System } from '../platform/system.js'

/**
 * A PM2 app on the jobs database. Waits while that is out of reach; a pending migration, or whatever else makes `start`
 * impossible, is one line of log and exit code 1. `start` answers how to stop, which SIGINT and SIGTERM do.
 */
export async function boot(app: string, start: (system: System) => Promise<() => Promise<void>>): Promise<void> {
  let log = createLogger(app, 'info')
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'failed')
    process.exit(1)
  })
  // Until it has started there is nothing to end well.
  let stop = (): void => process.exit(0)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop())
  // PM2 itself is gone: whatever stays would run beside what the next PM2 starts, with nobody to stop it.
  process.on('disconnect', () => stop())

  try {
    const config = loadConfig()
    log = createLogger(app, config.logLevel)
    const transport = await createCoteTransport({ config, log })
    const system = createSystem({ app, config, log, functions: [], transport })
    await connect(system, 'jobs')
    const end = await start(system)
    stop = () => {
      stop = () => {}
      log.info('stopping')
      void end()
        .then(() => system.close())
        .then(() => process.exit(0))
    }
    log.info('ready')
    process.send?.('ready')
  } catch (error) {
    log.fatal({ err: error }, 'could not start')
    process.exit(1)
  }
}
