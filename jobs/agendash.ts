import { once } from 'node:events'
import { boot } from '../platform/app/boot.js'
import { createGuardedServer } from '../platform/http/connections.js'
import { createRepeats } from '../platform/http/repeats.js'
import { createDashboard } from './dashboard.js'

/** Never another interface: whoever gets past the sign-in can delete jobs. */
const HOST = '127.0.0.1'

await boot('agendash', ['jobs'], async (system) => {
  const dashboard = await createDashboard(system)
  const { server } = createGuardedServer(dashboard.app, {
    ratePerSecond: system.config.rateLimitPerSecond,
    repeats: createRepeats(system.log),
  })
  server.listen(system.config.jobsPort, HOST)
  await once(server, 'listening')
  return async () => {
    server.close()
    server.closeAllConnections()
    await dashboard.close()
  }
})
