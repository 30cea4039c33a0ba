import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { loadConfig } from '../../config/index.js'
import { createCoteTransport } from '../../platform/calls/cote.js'
import type { Result } from '../../platform/contract/errors.js'
import { createLogger } from '../../platform/lib/log.js'
import type { Envelope } from '../../platform/runtime/transport.js'

/**
 * A process that hosts operations of tests over cote, started by `forkResponder`. It tells its parent `{ready: true}`,
 * and `{began: input}` for each call of test.hold, which it answers when told to `release`: with what it was asked, or
 * with a text as long as the input's `chars`. Told to `reset`, it resets
 * all its connections. On SIGTERM it drains, then exits.
 */
const [app = 'test', operations = 'test.echo'] = process.argv.slice(2)
const config = loadConfig()
const transport = await createCoteTransport({ config, log: createLogger(app, config.logLevel) })

const accepted = new Set<Socket>()
subscribe('net.server.socket', (message) => void accepted.add((message as { socket: Socket }).socket))

let release = () => {}
const released = new Promise<void>((resolve) => (release = resolve))
process.on('message', (message) => {
  if (message === 'release') release()
  if (message === 'reset') for (const socket of accepted) socket.resetAndDestroy()
})
process.on('SIGTERM', () => {
  void transport
    .drain(config.drainMs)
    .then(() => transport.close())
    .then(() => process.exit(0))
})

await transport.serve({ app, operations: operations.split(','), handle, health })
process.send?.({ ready: true })

async function handle({ operation, input, ttlMs }: Envelope, isWanted: () => boolean): Promise<Result<unknown>> {
  if (operation === 'test.hold') {
    process.send?.({ began: input })
    await released
  }
  const { chars } = (input ?? {}) as { chars?: number }
  if (chars !== undefined) return { ok: true, data: 'x'.repeat(chars) }
  return { ok: true, data: { app, pid: process.pid, input, ttlMs, wanted: isWanted() } }
}

function health() {
  return Promise.resolve({ app, operations: operations.split(','), databases: { test: true }, checks: {} })
}
