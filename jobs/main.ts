import { boot } from './boot.js'
import { SCHEDULE } from './schedule.js'
import { startScheduler } from './scheduler.js'

await boot('jobs', async (system) => (await startScheduler(system, SCHEDULE)).stop)
