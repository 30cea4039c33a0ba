import { existsSync } from 'node:fs'
import { loadConfig, type Config } from '../config/index.js'
import { BACKGROUND_APPS, MONGOD_APP } from '../platform/app/ecosystem.js'
import { alone } from './lib/alone.js'
import { command } from './lib/command.js'
import { allDomains, tellPlaces } from './lib/places.js'
import { listProcesses, pm2, type Pm2Process } from './lib/pm2.js'

const USAGE = `npm stop

Stops the system: what calls the functions first, so that all in flight can end, then the functions, the embedded
MongoDB last. The data stays. PM2 apps of others are left alone; with none left, PM2's daemon ends too. Where another
command is at work on the same system (npm start), it waits for that one.`

await command(USAGE, {}, () => {
  const config = loadConfig()
  tellPlaces(config, allDomains())
  // Nothing to wait for, and nothing to make, where no PM2 has ever run.
  return existsSync(config.pm2Home)
    ? alone(
        config,
        (line) => console.log(line),
        () => stop(config),
      )
    : stop(config)
})

async function stop(config: Config): Promise<void> {
  const all = await listProcesses(config)
  const ours = all.filter((process) => process.ours)
  if (ours.length === 0) {
    console.log(`Nothing of ours runs under PM2 in ${config.pm2Home}.`)
    return
  }
  const callers = ours.filter(({ app }) => ['gateway', ...BACKGROUND_APPS].includes(app))
  const mongod = ours.filter(({ app }) => app === MONGOD_APP)
  const functions = ours.filter((process) => !callers.includes(process) && !mongod.includes(process))
  for (const group of [callers, functions, mongod]) await remove(group)
  if (ours.length === all.length) await pm2(['kill'])
  console.log('Stopped. The data is kept: npm start brings it back.')
}

async function remove(processes: Pm2Process[]): Promise<void> {
  if (processes.length === 0) return
  console.log(`Stopping ${[...new Set(processes.map(({ app }) => app))].join(', ')}`)
  await pm2(['delete', ...processes.map(({ id }) => String(id))])
}
