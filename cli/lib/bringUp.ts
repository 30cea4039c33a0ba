import type { Config } from '../../config/index.js'
import { MONGOD_APP, type AppSpec } from '../../platform/app/ecosystem.js'
import { waitUntilAnswering } from './answering.js'
import { ECOSYSTEM, listProcesses, pm2, type Pm2Process } from './pm2.js'

/**
 * Makes PM2 run what the tree and the settings say, and returns when every function answers. What is new starts first,
 * what runs already is reloaded, what is no longer wanted goes last: at no time is an operation without an app.
 */
export async function bringUp(config: Config, apps: AppSpec[], say: (line: string) => void): Promise<void> {
  const running = await ourApps(config)
  const missing = apps.filter(({ name }) => !running.has(name))
  const present = apps.filter(({ name }) => running.has(name))
  const onLine = (line: string): void => {
    const app = /App \[(\w+)\] launched|\[(\w+)\]\(\d+\) ✓/.exec(line)
    if (app) say(`  ${app[1] ?? app[2]}`)
  }

  if (missing.length > 0) {
    say(`Starting ${names(missing).join(', ')}`)
    await pm2(['start', ECOSYSTEM, '--only', names(missing).join(',')], onLine)
  }
  if (present.length > 0) {
    say(`Reloading ${names(present).join(', ')}`)
    await pm2(['reload', ECOSYSTEM, '--only', names(present).join(','), '--parallel', '1', '--update-env'], onLine)
  }
  for (const { name, instances } of present) {
    if (running.get(name)?.length !== instances) {
      say(`Scaling ${name} to ${instances}`)
      await pm2(['scale', name, String(instances)])
    }
  }
  const wanted = new Set([...names(apps), MONGOD_APP])
  for (const [name, processes] of running) {
    if (wanted.has(name)) continue
    say(`Removing ${name}`)
    await pm2(['delete', ...processes.map(({ id }) => String(id))])
  }
  say('Waiting until every function answers')
  await waitUntilAnswering(config, apps)
}

async function ourApps(config: Config): Promise<Map<string, Pm2Process[]>> {
  const apps = new Map<string, Pm2Process[]>()
  for (const process of await listProcesses(config)) {
    if (process.ours) apps.set(process.app, [...(apps.get(process.app) ?? []), process])
  }
  return apps
}

const names = (apps: readonly { name: string }[]): string[] => apps.map(({ name }) => name)
