import { once } from 'node:events'
import { createServer } from 'node:http'
import { boot } from '../platform/app/boot.js'
import { createDashboard } from './dashboard.js'

/** Never another interface: whoever gets past the sign-in can delete jobs. */
const HOST = '127.0.0.1'

await boot('agendash', ['jobs'], async (system) => {
  const dashboard = await createDashboard(system)
  const server = createServer(dashboard.app).listen(system.config.jobsPort, HOST)
  await once(server, 'listening')
  return async () => {
    server.close()
    server.closeAllConnections()
    await dashboard.close()
  }
})
