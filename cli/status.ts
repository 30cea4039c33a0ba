import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type Data } from '../client/src/index.js'
import { loadConfig, type Config } from '../config/index.js'
import { ecosystem, MONGOD_APP } from '../platform/app/ecosystem.js'
import { PACKAGE_ROOT } from '../platform/lib/packageRoot.js'
import { domainsWithDatabase } from '../platform/runtime/tree.js'
import { command } from './lib/command.js'
import { gatewayUrl } from './lib/gateway.js'
import { daemonRuns, runsBy } from './lib/pm2.js'

const USAGE = `npm run status [-- --json]

How the system is doing, within about a second: what getStatus says; where the gateway does not answer, which processes
PM2 has, and whether the databases answer. Exit code 0: all is well, 1: degraded, 2: down. --json prints getStatus's
answer as it is.`

/** Of the gateway; the rest of the second is for the start of this command. */
const ANSWER_MS = 800

await command(USAGE, { json: { type: 'boolean' } }, async ({ json }) => {
  const config = loadConfig()
  const asked = await ask(config)
  if (typeof asked !== 'string') {
    console.log(json ? JSON.stringify(asked, null, 2) : inWords(asked))
    return { OK: 0, DEGRADED: 1, DOWN: 2 }[asked.status]
  }
  console.log(`DOWN: the gateway at ${gatewayUrl(config)} does not answer (${asked})`)
  console.log(processes(config))
  // Late: it loads the driver, which the others do without.
  const { reach } = await import('./lib/reach.js')
  await reach(config, domainsWithDatabase()).catch((error: Error) => console.log(error.message))
  return 2
})

async function ask(config: Config): Promise<Data<'getStatus'> | string> {
  try {
    const client = await connect(gatewayUrl(config), { deadlineMs: ANSWER_MS })
    try {
      return await client.call('getStatus', {}, { deadlineMs: ANSWER_MS })
    } finally {
      client.close()
    }
  } catch (error) {
    return (error as Error).message
  }
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

/** By PM2's own files: its command line takes longer than a person in trouble should wait. */
function processes(config: Config): string {
  if (!daemonRuns(config)) return `PM2 does not run in PM2_HOME=${config.pm2Home}: npm start starts everything.`
  const files = readdirSync(join(config.pm2Home, 'pids'))
  const isAlive = (app: string): boolean =>
    files.some((file) => file.startsWith(`${app}-`) && runsBy(join(config.pm2Home, 'pids', file)))
  const apps = [
    ...ecosystem(config, PACKAGE_ROOT).map(({ name }) => name),
    ...(config.embeddedMongo ? [MONGOD_APP] : []),
  ]
  const dead = apps.filter((app) => !isAlive(app))
  return dead.length > 0 ? `Not running: ${dead.join(', ')}. See npx pm2 ls.` : 'PM2 runs a process of every app.'
}
