import { connect as openSocket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Data } from '../client/src/index.js'
import { loadConfig, type Config } from '../config/index.js'
import { command } from './lib/command.js'
import { gatewayHost, gatewayUrl } from './lib/gateway.js'
import { allDomains, tellPlaces } from './lib/places.js'
import { whatIsDown } from './lib/running.js'

const USAGE = `npm run status [-- --json]

How the system is doing, within about a second: what getStatus says; where that is not OK, which processes PM2 lacks;
where the gateway does not answer, whether the databases do. Exit code 0: all is well, 1: degraded, 2: down. --json prints
getStatus's answer as it is.`

/** Of the gateway. Less would call a busy system down. */
const GATEWAY_MS = 800
/** Later, from the start of this process on, databases are looked at as well: getStatus waits for one that hangs. */
const SOON_MS = 600
const DATABASE_MS = 300

await command(USAGE, { json: { type: 'boolean' } }, async ({ json }) => {
  const code = await tell(json ?? false)
  // Whoever still looks at a database that hangs would keep the process, and the person, waiting.
  process.exit(code)
})

async function tell(json: boolean): Promise<number> {
  const config = loadConfig()
  tellPlaces(config, allDomains())
  const asking = ask(config)
  const soon = await Promise.race([asking, sleep(Math.max(0, SOON_MS - performance.now()), undefined, { ref: false })])
  // One after the other they would take longer than a second.
  const looking = soon === undefined || typeof soon === 'string' ? lookAtDatabases(config) : undefined
  const asked = await asking
  if (typeof asked !== 'string') {
    console.log(json ? JSON.stringify(asked, null, 2) : inWords(asked))
    if (!json && asked.status !== 'OK') console.log(whatIsDown(config))
    return { OK: 0, DEGRADED: 1, DOWN: 2 }[asked.status]
  }
  console.log(`DOWN: the gateway at ${gatewayUrl(config)} does not answer (${asked})`)
  console.log(whatIsDown(config))
  console.log(await looking)
  return 2
}

async function ask(config: Config): Promise<Data<'getStatus'> | string> {
  try {
    // The client waits for a gateway that may come, and takes a tenth of a second to load.
    await listens(config)
    const { connect } = await import('../client/src/index.js')
    const client = await connect(gatewayUrl(config), { deadlineMs: GATEWAY_MS })
    try {
      return await client.call('getStatus', {}, { deadlineMs: GATEWAY_MS })
    } finally {
      client.close()
    }
  } catch (error) {
    return (error as Error).message
  }
}

async function lookAtDatabases(config: Config): Promise<string> {
  // Late: it loads the driver, which everything else does without.
  const { refuseOutOfReach } = await import('./lib/reach.js')
  return refuseOutOfReach(config, allDomains(), { timeoutMs: DATABASE_MS }).then(
    () => 'Every database answers.',
    (error: Error) => error.message,
  )
}

function listens(config: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = openSocket({ host: gatewayHost(config), port: config.gateway.port, timeout: DATABASE_MS })
    socket.once('connect', () => resolve(void socket.destroy()))
    socket.once('timeout', () => socket.destroy(new Error('no connection')))
    socket.once('error', reject)
  })
}

function inWords({ status, message, version, checks, functions }: Data<'getStatus'>): string {
  const bad = checks.filter(({ ok }) => !ok)
  const without = functions.filter(({ instances }) => instances === 0)
  return [
    `${status}: ${message}`,
    `version ${version}, ${functions.length - without.length} of ${functions.length} functions answer`,
    ...bad.map(({ domain, name, detail }) => `  ${domain} ${name}: ${detail}`),
  ].join('\n')
}
