import { boot } from '../platform/app/boot.js'

import { boundOurLogFiles } from '../platform/app/logFiles.js'
import { SCHEDULE } from './schedule.js'
import { startScheduler } from './scheduler.js'
import { startTimers } from './timers.js'

await boot('jobs', ['jobs', 'expirations'], async (system) => {
  const scheduler = await startScheduler(system, SCHEDULE)
  const timers = await startTimers(system)
  const logFiles = boundOurLogFiles(system.config, system.log)
  return async () => {
    logFiles.stop()
    await Promise.all([scheduler.stop(), timers.stop()])
  }
})
