import type { Config } from '../../config/index.js'
import { BACKGROUND_APPS, MONGOD_APP, type AppSpec } from '../../platform/app/ecosystem.js'
import { waitUntilAnswering } from './answering.js'
import { CommandFailure } from './command.js'
import { ECOSYSTEM, lastWords, listProcesses, pm2, type Pm2Process } from './pm2.js'
import { rehearse } from './rehearsal.js'
import { currentRelease, RELEASE, switchTo } from './release.js'

type Say = (line: string) => void

/**
 * Makes PM2 run what this build and the settings say, and returns when every function answers. Where something runs
 * already, the build is tried beside it first; what is new starts then, what runs is reloaded, what is no longer wanted
 * goes last: at no time is an operation without an app. What works in the background goes first, since what comes in its
 * place listens at the same ports. Throws at the first app that fails, and the others stay.
 */
export async function bringUp(config: Config, apps: AppSpec[], say: Say): Promise<void> {
  const running = await ourApps(config)
  const wanted = new Set([...names(apps), MONGOD_APP])
  const missing = apps.filter(({ name }) => !running.has(name))
  const present = apps.filter(({ name }) => running.has(name))
  const rehearsal = present.length > 0 ? await rehearse(apps, say) : undefined
  try {
    const before = currentRelease()
    switchTo(RELEASE)
    for (const name of BACKGROUND_APPS) if (!wanted.has(name)) await remove(name, running.get(name) ?? [], say)
    if (missing.length > 0) {
      say(`Starting ${names(missing).join(', ')}`)
      await pm2(['start', ECOSYSTEM, '--only', names(missing).join(',')], tellLaunched(say))
    }
    for (const app of present) await reload(config, app, running.get(app.name) ?? [], before, say)
  } finally {
    await rehearsal?.end()
  }
  for (const { name, instances } of present) {
    if (running.get(name)?.length !== instances) {
      say(`Scaling ${name} to ${instances}`)
      await pm2(['scale', name, String(instances)])
    }
  }
  for (const [name, processes] of running)
    if (!wanted.has(name) && !BACKGROUND_APPS.includes(name)) await remove(name, processes, say)
  say('Waiting until every function answers')
  await waitUntilAnswering(config, apps)
}

async function remove(name: string, processes: readonly Pm2Process[], say: Say): Promise<void> {
  if (processes.length === 0) return
  say(`Removing ${name}`)
  await pm2(['delete', ...processes.map(({ id }) => String(id))])
}

/** One app, an instance after the other. Where the new code does not run, the code of before comes back. */
async function reload(
  config: Config,
  { name }: AppSpec,
  ran: readonly Pm2Process[],
  before: string | undefined,
  say: Say,
): Promise<void> {
  const again = () => pm2(['reload', ECOSYSTEM, '--only', name, '--parallel', '1', '--update-env'])
  const failuresOf = (id: number): number => ran.find((process) => process.id === id)?.unstableRestarts ?? 0
  say(`Reloading ${name}`)
  const failure = await again().catch((error: Error) => error)
  const bad = (await listProcesses(config)).find(
    ({ app, ours, id, status, unstableRestarts }) =>
      ours && app === name && (status !== 'online' || unstableRestarts > failuresOf(id)),
  )
  if (!bad && typeof failure === 'string') return
  const why = bad ? lastWords(bad) : (failure as Error).message
  if (before !== undefined) {
    switchTo(before)
    await again()
  }
  throw new CommandFailure(
    `The app ${name} failed with the new build. It and those after it run the build of before. Its last words:\n${why}`,
  )
}

const tellLaunched =
  (say: Say) =>
  (line: string): void => {
    const app = /App \[(\w+)\] launched/.exec(line)
    if (app) say(`  ${app[1]}`)
  }

async function ourApps(config: Config): Promise<Map<string, Pm2Process[]>> {
  const apps = new Map<string, Pm2Process[]>()
  for (const process of await listProcesses(config)) {
    if (process.ours) apps.set(process.app, [...(apps.get(process.app) ?? []), process])
  }
  return apps
}

const names = (apps: readonly { name: string }[]): string[] => apps.map(({ name }) => name)
