import cluster from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * Gateway workers behind one port, as PM2's cluster mode runs them:
 *
 *     node gatewayWorkers.js <count>
 */
cluster.setupPrimary({ exec: fileURLToPath(new URL('../../../gateway/main.js', import.meta.url)) })
const workers = Array.from({ length: Number(process.argv[2] ?? 1) }, () => cluster.fork())
cluster.on('exit', (_worker, code) => {
  if (!stopping) process.exit(code || 1)
})
let stopping = false
process.on('SIGINT', () => {
  stopping = true
  for (const { process: worker } of workers) worker.kill('SIGINT')
  void Promise.all(workers.map((worker) => once(worker, 'exit'))).then(() => process.exit(0))
})

await Promise.all(workers.map((worker) => once(worker, 'message')))
process.send?.({ workers: workers.map(({ process: worker }) => worker.pid) })
