import type { Result } from '../../platform/errors.js'
import { loadConfig } from '../../config/index.js'
import { createCoteTransport } from '../../platform/cote.js'
import { createLogger } from '../../platform/log.js'
import type { Envelope } from '../../platform/transport.js'

/**
 * A process that hosts test operations over cote: `fork('responder.ts', [app, 'test.echo,test.hold'])`, settings in
 * its environment. It tells its parent `{ready: pid}` and `{began: input}` for each call of test.hold, which it answers
 * when its parent says `release`. On SIGTERM it drains, then exits.
 */
const [app = 'test', operations = 'test.echo'] = process.argv.slice(2)
const config = loadConfig()
const log = createLogger(app, config.logLevel)
const transport = await createCoteTransport({ config, log })

let release = () => {}
const released = new Promise<void>((resolve) => (release = resolve))

process.on('message', (message) => message === 'release' && release())
process.on('SIGTERM', () => {
  void transport
    .drain(config.drainMs)
    .then(() => transport.close())
    .then(() => process.exit(0))
})

await transport.serve({ app, operations: operations.split(','), handle, health })
process.send?.({ ready: process.pid })

async function handle({ operation, input, ttlMs }: Envelope): Promise<Result<unknown>> {
  if (operation === 'test.hold') {
    process.send?.({ began: input })
    await released
  }
  return { ok: true, data: { app, pid: process.pid, input, ttlMs } }
}

function health() {
  return Promise.resolve({ app, operations: operations.split(','), databases: {} })
}
