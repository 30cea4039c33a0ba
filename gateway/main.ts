import { setTimeout as sleep } from 'node:timers/promises'
import { ObjectId } from 'bson'
import { loadConfig } from '../config/index.js'
import { allowYears } from '../platform/contract/types.js'
import { boundOurLogFiles } from '../platform/app/logFiles.js'
import { createCoteTransport } from '../platform/calls/cote.js'
import { createLogger } from '../platform/lib/log.js'
import { loadContracts } from '../platform/runtime/tree.js'
import type { Transport } from '../platform/runtime/transport.js'
import { watchFeeds } from './feedWatch.js'
import { createGateway } from './server.js'

/**
 * One gateway worker. PM2 runs several in cluster mode behind one port, and reloads them one after the other. Says
 * `ready` when it listens and knows the functions; SIGINT and SIGTERM drain, then exit with 0. A failing boot is one
 * line of log and exit code 1.
 */
const DISCOVERY_MS = 5000

let log = createLogger('gateway', 'info')
process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'failed')
  process.exit(1)
})

// Until it listens, nothing is in flight.
let stop = (): void => process.exit(0)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop())

try {
  await boot()
} catch (error) {
  log.fatal({ err: error }, 'could not start')
  process.exit(1)
}

async function boot(): Promise<void> {
  const config = loadConfig()
  allowYears(config.years)
  log = createLogger('gateway', config.logLevel)
  const contracts = await loadContracts()
  const transport = await createCoteTransport({ config, log })
  const gateway = createGateway({
    config,
    log,
    contracts,
    request: (envelope, options) => transport.request(envelope, options),
    watchFeeds: watchFeeds(transport),
    now: () => new Date(),
    newId: () => new ObjectId().toHexString(),
  })
  await functionsFound(transport)
  const port = await gateway.listen()
  gateway.watchDoor(() => {
    log.fatal('nobody gets in here, not even this worker itself: ending, for PM2 to start another')
    process.exit(1)
  })
  stop = () => {
    stop = () => {}
    void gateway
      .drain()
      .then(() => transport.close())
      .then(() => process.exit(0))
  }
  boundOurLogFiles(config, log)
  log.info({ host: config.gateway.host, port }, 'ready')
  process.send?.('ready')
}

/** The first requests would wait for discovery. A worker that takes over from another spares them that, if it can. */
async function functionsFound(transport: Transport): Promise<void> {
  const giveUpAtMs = performance.now() + DISCOVERY_MS
  while (transport.peers().length === 0 && performance.now() < giveUpAtMs) await sleep(50)
}
