import { loadConfig, type Config } from '../config/index.js'
import { ecosystem, MONGOD_APP, type AppSpec } from '../platform/app/ecosystem.js'
import { explainPlacement, thisMachine } from '../platform/app/placement.js'
import { PACKAGE_ROOT } from '../platform/lib/packageRoot.js'
import { migratedDomains, MIGRATIONS } from '../platform/migrations/files.js'
import { migrateUp } from '../platform/migrations/migrations.js'
import { alone } from './lib/alone.js'
import { bringUp } from './lib/bringUp.js'
import { checkTree } from './lib/checkTree.js'
import { command, CommandFailure } from './lib/command.js'
import { startEmbeddedMongo } from './lib/embedded.js'
import { refuseTakenPorts } from './lib/ports.js'
import { tellPlaces } from './lib/places.js'
import { listProcesses, type Pm2Process } from './lib/pm2.js'
import { refuseOutOfReach } from './lib/reach.js'
import { endLeftovers } from './lib/running.js'
import { stopwatch } from './lib/stopwatch.js'

const USAGE = `npm start

Builds, finds or starts MongoDB, migrates, starts everything under PM2, and ends when every function answers.
What runs already is reloaded without a failed request. Settings come from the environment; README.md lists them.`

const NEXT = `
Next:
  npm run demo                     an admin and a user book a car before your eyes
  npm run token -- --role admin    a token for the gateway
  npm run audit                    check all books
  npx pm2 ls                       what runs (npx pm2 logs | monit | describe gateway)
  npm run reload                   restart everything without a failed request
  npm stop                         stop it and keep the data`

await command(USAGE, {}, () => {
  const say = stopwatch()
  const config = loadConfig()
  return alone(config, say, () => run(config, say))
})

async function run(config: Config, say: (line: string) => void): Promise<void> {
  const apps = ecosystem(config, PACKAGE_ROOT)
  const domains = migratedDomains(MIGRATIONS)
  tellPlaces(config, domains, { changes: true })
  say(explainPlacement(config.placement, thisMachine()))
  const processes = await listProcesses(config)
  if (processes.length === 0) await endLeftovers(config, say)
  refuseStrangers(apps, processes, config)
  await refuseTakenPorts(processes, config)
  if (processes.some(({ ours, app }) => ours && app !== MONGOD_APP)) await checkTree()

  if (config.embeddedMongo) await startEmbeddedMongo(config, say)
  await refuseOutOfReach(config, domains)
  await migrateUp(config, { say })
  await bringUp(config, apps, say)
  say(`Ready: ${config.gateway.host}:${config.gateway.port} (socket.io, websocket transport)`)
  console.log(NEXT)
}

/** Apps of another project, or of another checkout of this one: PM2 would mix them up with ours. */
function refuseStrangers(apps: readonly AppSpec[], processes: readonly Pm2Process[], { pm2Home }: Config): void {
  const stranger = processes.find(({ ours, app }) => !ours && apps.some(({ name }) => name === app))
  if (!stranger) return
  throw new CommandFailure(
    `PM2_HOME=${pm2Home} has an app "${stranger.app}" that was not started from here: set another PM2_HOME, with other ports and another DATA_DIR`,
  )
}
