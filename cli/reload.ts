import { loadConfig, type Config } from '../config/index.js'
import { ecosystem } from '../platform/app/ecosystem.js'
import { PACKAGE_ROOT } from '../platform/lib/packageRoot.js'
import { migratedDomains, MIGRATIONS } from '../platform/migrations/files.js'
import { migrateUp } from '../platform/migrations/migrations.js'
import { alone } from './lib/alone.js'
import { bringUp } from './lib/bringUp.js'
import { checkTree } from './lib/checkTree.js'
import { command, CommandFailure } from './lib/command.js'
import { refuseTakenPorts } from './lib/ports.js'
import { tellPlaces } from './lib/places.js'
import { daemonRuns, listProcesses } from './lib/pm2.js'
import { refuseOutOfReach } from './lib/reach.js'
import { stopwatch } from './lib/stopwatch.js'

const USAGE = `npm run reload

Builds, migrates and restarts everything, one instance after the other, without a failed request. Settings that changed
in the environment take effect. Ends when every function answers. Before anything is stopped the new build is loaded,
checked and tried beside what runs; where it fails, what runs stays, and the message names what to mend.`

await command(USAGE, {}, () => {
  const say = stopwatch()
  const config = loadConfig()
  if (!daemonRuns(config)) throw nothingRuns(config)
  return alone(config, say, () => run(config, say))
})

async function run(config: Config, say: (line: string) => void): Promise<void> {
  const apps = ecosystem(config, PACKAGE_ROOT)
  const domains = migratedDomains(MIGRATIONS)
  tellPlaces(config, domains, { changes: true })
  const processes = await listProcesses(config)
  if (!processes.some(({ ours }) => ours)) throw nothingRuns(config)
  await refuseTakenPorts(processes, config)
  await refuseOutOfReach(config, domains)
  await checkTree()
  // Before the code that needs it: a function host does not start while a migration is pending.
  await migrateUp(config, { say })
  await bringUp(config, apps, say)
  say('Reloaded')
}

function nothingRuns({ pm2Home }: Config): CommandFailure {
  return new CommandFailure(`Nothing of ours runs under PM2 in ${pm2Home}: npm start starts it.`)
}
