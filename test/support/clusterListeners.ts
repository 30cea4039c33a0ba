import type { Node } from '@dashersw/node-discover'
import cluster from 'node:cluster'
import { loadConfig } from '../../config/index.js'
import { CallerComponent, startDiscovery, type Hello } from '../../platform/calls/components.js'

/**
 * Like PM2's cluster mode: three workers on one discovery port. Each tells `{worker}` once it listens, and again for
 * each caller's hello that it hears.
 */
if (cluster.isPrimary) {
  for (let i = 0; i < 3; i++) cluster.fork().on('message', (message) => process.send?.(message))
  process.on('disconnect', () => process.exit(0))
} else {
  const tell = () => process.send?.({ worker: process.pid })
  const config = loadConfig()
  const discovery = await startDiscovery(new CallerComponent(config), config, () => {})
  discovery.on('helloReceived', ({ advertisement }: Node<Hello['advertisement']>) => {
    if (advertisement.axon_type === 'req') tell()
  })
  tell()
}
