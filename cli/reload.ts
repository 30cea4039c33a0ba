import { loadConfig, type Config } from '../config/index.js'
import { ecosystem } from '../platform/app/ecosystem.js'
import { PACKAGE_ROOT } from '../platform/lib/packageRoot.js'
import { migrateUp } from '../platform/migrations/migrations.js'
import { alone } from './lib/alone.js'
import { bringUp } from './lib/bringUp.js'
import { checkTree } from './lib/checkTree.js'
import { command, CommandFailure } from './lib/command.js'
import { refuseTakenPorts } from './lib/ports.js'
import { listProcesses } from './lib/pm2.js'
import { stopwatch } from './lib/stopwatch.js'

const USAGE = `npm run reload

Builds, migrates and restarts everything, one instance after the other, without a failed request. Settings that changed
in the environment take effect. Ends when every function answers. Before anything is stopped the new build is loaded,
checked and tried beside what runs; where it fails, what runs stays, and the message names what to mend.`

await command(USAGE, {}, () => {
  const say = stopwatch()
  const config = loadConfig()
  return alone(config, say, () => run(config, say))
})

async function run(config: Config, say: (line: string) => void): Promise<void> {
  const apps = ecosystem(config, PACKAGE_ROOT)
  const processes = await listProcesses(config)
  if (!processes.some(({ ours }) => ours)) {
    throw new CommandFailure(`Nothing of ours runs under PM2 in ${config.pm2Home}: npm start starts it.`)
  }
  await refuseTakenPorts(processes, config)
  await checkTree()
  // Before the code that needs it: a function host does not start while a migration is pending.
  await migrateUp(config, { say })
  await bringUp(config, apps, say)
  say('Reloaded')
}
