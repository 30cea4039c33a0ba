import { setTimeout as sleep } from 'node:timers/promises'
import { ObjectId } from 'bson'
import { loadConfig } from '../config/index.js'
import { createCoteTransport } from '../platform/cote.js'
import { createLogger } from '../platform/log.js'
import { loadContracts } from '../platform/tree.js'
import { createGateway } from './server.js'

const DISCOVERY_MS = 5000

/** One gateway worker. PM2 runs several in cluster mode behind one port, and reloads them one after the other. */
const config = loadConfig()
const log = createLogger('gateway', config.logLevel)
const transport = await createCoteTransport({ config, log })
const gateway = createGateway({
  config,
  log,
  contracts: await loadContracts(),
  request: (envelope, options) => transport.request(envelope, options),
  now: () => new Date(),
  newId: () => new ObjectId().toHexString(),
})

await functionsFound()
const port = await gateway.listen()
log.info({ host: config.gateway.host, port }, 'gateway listens')
process.send?.('ready')

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop())
process.on('message', (message) => {
  if (message === 'shutdown') void stop()
})

/** Requests would wait for discovery; a worker that takes over from another lets them not. Goes on without, in the end. */
async function functionsFound(): Promise<void> {
  const giveUpAtMs = performance.now() + DISCOVERY_MS
  while (transport.peers().length === 0 && performance.now() < giveUpAtMs) await sleep(50)
}

async function stop(): Promise<void> {
  await gateway.drain()
  await transport.close()
  process.exit(0)
}
