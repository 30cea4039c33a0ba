import { loadConfig } from '../../config/index.js'
import { startDispatching } from '../../platform/events/dispatcher.js'
import { define, type FunctionDefinition } from '../../platform/runtime/function.js'
import { createLogger } from '../../platform/lib/log.js'
import { onFailpoint } from '../../platform/lib/failpoints.js'
import { createSystem } from '../../platform/runtime/system.js'
import { copyThings } from './effects.js'
import { listeners } from './listeners.js'

// A dispatcher that is killed at one of its points.
const [, , point] = process.argv
const hearThings = define(listeners.hearThings, async (ctx, event) => {
  await copyThings(event, ctx)
  return {}
}) as FunctionDefinition
const system = createSystem({ config: loadConfig(), log: createLogger('killed', 'silent'), functions: [hearThings] })
await system.databases.connect(['bookings'])
onFailpoint((name) => {
  if (name === point) process.kill(process.pid, 'SIGKILL')
})
await startDispatching(system, [listeners.hearThings])
