import { join } from 'node:path'
import { loadConfig } from '../../config/index.js'
import { command, CommandFailure } from '../../cli/lib/command.js'
import { stopwatch } from '../../cli/lib/stopwatch.js'
import { createLogger } from '../../platform/lib/log.js'
import { migrateUp } from '../../platform/migrations/migrations.js'
import { createSystem, type System } from '../../platform/runtime/system.js'
import { domainsWithDatabase, loadFunctions } from '../../platform/runtime/tree.js'
import { startServer } from '../support/server.js'
import { fillWorld } from './fill.js'
import { measureBound, type Bound } from './measure.js'
import { inALine, inWords, MOST_BLOCKED_MS, writeDocs } from './report.js'

const USAGE = `npm run bounds -- [--operations a,b] [--out DIR]

Calls every operation with the largest input that its contract allows, on a database that holds as much as the limits
allow, and measures the answer and how long the process could do nothing else.

  --operations a,b  only these (default: all)
  --out DIR         write the table into DIR/limits.md

Ends with exit code 1 where an operation blocks its process for over ${MOST_BLOCKED_MS} ms.`

/** They end other things, so that nothing is left to measure: last. */
const LAST = ['removeFromLobby', 'deleteLobby', 'cancelBooking', 'callOffTrain', 'deleteTrain', 'setPassword']

await command(USAGE, { operations: { type: 'string' }, out: { type: 'string' } }, async ({ operations, out }) => {
  const only = operations?.split(',')
  const all = (await loadFunctions()).map(({ operation }) => operation)
  const unknown = only?.find((each) => !all.some(({ name }) => name === each))
  if (unknown !== undefined) throw new CommandFailure(`--operations: there is no ${unknown}.`)
  const say = stopwatch()
  const server = await startServer(1)
  try {
    const system = await startSystem(server.uri('bounds'))
    say('Filling the database')
    const world = await fillWorld(system)
    const chosen = all
      .filter(({ name }) => !only || only.includes(name))
      .sort((a, b) => LAST.indexOf(a.name) - LAST.indexOf(b.name))
    const bounds: Bound[] = []
    for (const each of chosen) {
      const bound = await measureBound(system, each, world)
      say(inALine(bound))
      bounds.push(bound)
    }
    bounds.sort((a, b) => (a.operation < b.operation ? -1 : 1))
    console.log(inWords(bounds))
    if (out !== undefined) await writeDocs(bounds, join(out, 'limits.md'), new Date())
    await system.close()
    return bounds.some(({ blockedMs }) => blockedMs > MOST_BLOCKED_MS) ? 1 : 0
  } finally {
    await server.stop()
  }
})

/** All functions in this process, with the settings as they are by default. */
async function startSystem(uri: string): Promise<System> {
  const config = loadConfig({
    NODE_ENV: 'test',
    MONGODB_URI: uri,
    AUTH_SECRET: 'the secret of the measurement that signs tokens',
    CLUSTER_SECRET: 'the secret of the measurement that signs calls',
  })
  const domains = domainsWithDatabase()
  const system = createSystem({ config, log: createLogger('bounds', 'silent'), functions: await loadFunctions() })
  await migrateUp(config, { domains })
  await system.databases.connect(domains)
  return system
}
