import type { AppPart } from '../platform/app/boot.js'
import { createWebhooks } from './server.js'

export const webhooks: AppPart = {
  domains: [],
  async start(system) {
    const server = createWebhooks(system)
    const port = await server.listen()
    system.log.info({ host: system.config.webhooks.host, port }, 'listening for webhooks')
    return server.close
  },
}
