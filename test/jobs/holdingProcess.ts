import { loadConfig } from '../../config/index.js'
import { SCHEDULE } from '../../jobs/schedule.js'
import { startScheduler } from '../../jobs/scheduler.js'
import { createLogger } from '../../platform/lib/log.js'
import { createSystem } from '../../platform/runtime/system.js'
import { scheduledFunctions } from './scheduledFunctions.js'

// A jobs process whose recovery never ends. It says when it holds the job; then the test kills it.
const system = createSystem({
  config: loadConfig(),
  log: createLogger('holding', 'silent'),
  functions: scheduledFunctions({
    recoverBookings: () => {
      process.send?.('holding')
      return new Promise(() => {})
    },
  }),
})
await system.databases.connect(['jobs'])
await startScheduler(system, SCHEDULE)
