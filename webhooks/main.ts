import { boot } from '../platform/app/boot.js'
import { createWebhooks } from './server.js'

await boot('webhooks', [], async (system) => {
  const webhooks = createWebhooks(system)
  const port = await webhooks.listen()
  system.log.info({ host: system.config.webhooks.host, port }, 'listening')
  return webhooks.close
})
