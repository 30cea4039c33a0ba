import cluster from 'node:cluster'
import { loadConfig } from '../../config/index.js'
import { createCoteTransport } from '../../platform/cote.js'
import { createLogger } from '../../platform/log.js'

/** Like PM2's cluster mode: workers that call functions. Each tells `{answered: pid of the responder}`. */
const WORKERS = 3

if (cluster.isPrimary) {
  for (let i = 0; i < WORKERS; i++) cluster.fork().on('message', (message) => process.send?.(message))
  process.on('disconnect', () => process.exit(0))
} else {
  const config = loadConfig()
  const transport = await createCoteTransport({ config, log: createLogger('gateway', config.logLevel) })
  const envelope = { operation: 'test.echo', input: null, caller: null, requestId: 'r', ttlMs: 20_000 }
  const result = await transport.request(envelope, { idempotent: true })
  process.send?.({ answered: result.ok ? (result.data as { pid: number }).pid : result.error.code })
}
