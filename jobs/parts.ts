import { once } from 'node:events'
import type { AppPart } from '../platform/app/boot.js'
import { boundOurLogFiles } from '../platform/app/logFiles.js'
import { createGuardedServer } from '../platform/http/connections.js'
import { createRepeats } from '../platform/http/repeats.js'
import { createDashboard } from './dashboard.js'
import { SCHEDULE } from './schedule.js'
import { startScheduler } from './scheduler.js'
import { startTimers } from './timers.js'

export const jobs: AppPart = {
  domains: ['jobs', 'expirations'],
  async start(system) {
    const scheduler = await startScheduler(system, SCHEDULE)
    const timers = await startTimers(system)
    const logFiles = boundOurLogFiles(system.config, system.log)
    return async () => {
      logFiles.stop()
      await Promise.all([scheduler.stop(), timers.stop()])
    }
  },
}

/** Never another interface: whoever gets past the sign-in can delete jobs. */
const HOST = '127.0.0.1'

export const agendash: AppPart = {
  domains: ['jobs'],
  async start(system) {
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
  },
}
