import { loadConfig } from '../../../config/index.js'
import { connect } from '../../../platform/runtime/connect.js'
import { createCoteTransport } from '../../../platform/calls/cote.js'
import { startDispatching } from '../../../platform/events/dispatcher.js'
import { createLogger } from '../../../platform/lib/log.js'
import { createSystem } from '../../../platform/runtime/system.js'
import { measured } from './contract.js'

// The dispatcher in a process of its own, as the product runs it.
const config = loadConfig()
const log = createLogger('dispatcher', 'warn')
const system = createSystem({ config, log, functions: [], transport: await createCoteTransport({ config, log }) })
await connect(system, 'bookings')
await startDispatching(system, [measured.hearThing])
