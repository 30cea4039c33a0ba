import cluster from 'node:cluster'
import { once } from 'node:events'
import { createGateway } from '../../gateway/server.js'
import { createLogger } from '../../platform/lib/log.js'
import { contracts, newId, noNews, testConfig } from './support.js'

/** A gateway worker in a cluster, as PM2 runs it. Prints its port. */
if (cluster.isPrimary) {
  const worker = cluster.fork()
  worker.on('message', (port: number) => console.log(port))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => worker.kill('SIGKILL'))
  await once(worker, 'exit')
} else {
  const gateway = createGateway({
    config: testConfig(),
    log: createLogger('gateway', 'silent'),
    contracts,
    request: ({ input }) => Promise.resolve({ ok: true, data: input }),
    watchFeeds: noNews,
    now: () => new Date(),
    newId,
  })
  process.send?.(await gateway.listen())
}
