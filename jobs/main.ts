import { boot } from '../platform/app/boot.js'

import { SCHEDULE } from './schedule.js'
import { startScheduler } from './scheduler.js'
import { startTimers } from './timers.js'

await boot('jobs', ['jobs', 'expirations'], async (system) => {
  const scheduler = await startScheduler(system, SCHEDULE)
  const timers = await startTimers(system)
  return async () => {
    await Promise.all([scheduler.stop(), timers.stop()])
  }
})
