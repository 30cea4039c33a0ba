import { parseArgs } from 'node:util'
import { loadConfig } from '../config/index.js'
import { createLogger } from './log.js'
import { runHost } from './runHost.js'

/**
 * A PM2 app that hosts functions:
 *
 *     node platform/host.js --app users --operations signUp,signIn
 *
 * Says `ready` to PM2 when they answer. A failing boot is one line of log and exit code 1, so that PM2 ends in
 * `errored`; SIGINT and SIGTERM drain, then exit with 0.
 */
const { values } = parseArgs({ options: { app: { type: 'string' }, operations: { type: 'string' } } })
const app = values.app ?? 'host'
let log = createLogger(app, 'info')

process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'failed')
  process.exit(1)
})

// Until functions answer, nothing is in flight.
let stop = (): void => process.exit(0)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop())
// PM2 itself is gone: whatever stays would run beside what the next PM2 starts, with nobody to stop it.
process.on('disconnect', () => stop())

try {
  if (!values.app || !values.operations) throw new Error('Usage: host --app <name> --operations <a,b,c>')
  const config = loadConfig()
  log = createLogger(app, config.logLevel)
  const host = await runHost({ app, operations: values.operations.split(','), config, log })
  stop = () => {
    stop = () => {}
    log.info('stopping')
    void host.stop().then(() => process.exit(0))
  }
  log.info({ operations: values.operations }, 'ready')
  process.send?.('ready')
} catch (error) {
  log.fatal({ err: error }, 'could not start')
  process.exit(1)
}
