import { loadConfig } from '../../config/index.js'
import { connect } from '../../platform/connect.js'
import { createCoteTransport } from '../../platform/cote.js'
import { startDispatching } from '../../platform/dispatcher.js'
import { createLogger } from '../../platform/log.js'
import { createSystem } from '../../platform/system.js'
import { measured } from './contract.js'

// The dispatcher in a process of its own, as the product runs it.
const config = loadConfig()
const log = createLogger('dispatcher', 'warn')
const system = createSystem({ config, log, functions: [], transport: await createCoteTransport({ config, log }) })
await connect(system, 'bookings')
await startDispatching(system, [measured.hearThing])
