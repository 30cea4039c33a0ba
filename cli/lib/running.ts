import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SETTINGS, type Config } from '../../config/index.js'
import { ecosystem, MONGOD_APP, NAMESPACE } from '../../platform/app/ecosystem.js'
import { PACKAGE_ROOT } from '../../platform/lib/packageRoot.js'
import { daemonRuns, lastWords, runsBy } from './pm2.js'

/** What runs, by the files that PM2 keeps: its command line takes longer than a person in trouble should wait. */

/** How it is run, not what it does. */
const ITS_OWN = new Set(['PM2_HOME'])

/** Names of the settings that our apps under this PM2_HOME run with otherwise; none where they don't run, or no /proc tells. */
export function settingsThatDiffer(config: Config): string[] {
  const running = environmentOfOurs(config)
  if (!running) return []
  return Object.keys(config.environment).filter(
    (name) => !ITS_OWN.has(name) && effective(name, running.get(name)) !== effective(name, config.environment[name]),
  )
}

function effective(name: string, value = ''): string {
  const setting = Object.values(SETTINGS).find(({ env }) => env === name)
  const set = value || setting?.fallback || ''
  return name === 'DATA_DIR' ? resolve(PACKAGE_ROOT, set) : set
}

/** In cluster mode a process has the environment of PM2's daemon, and MongoDB is given settings by nobody. */
const TELLS_NOTHING = new Set(['gateway', MONGOD_APP])

/** Of the first of our processes that runs: a start or a reload gives all of them the same. */
function environmentOfOurs({ pm2Home }: Config): Map<string, string> | undefined {
  for (const { app, file } of pidFiles(pm2Home)) {
    if (TELLS_NOTHING.has(app)) continue
    const found = environmentOf(Number(readIfThere(file)))
    if (found.get('namespace') === NAMESPACE && resolve(found.get('pm_cwd') ?? '') === resolve(PACKAGE_ROOT))
      return found
  }
  return undefined
}

const environmentOf = (pid: number): Map<string, string> =>
  new Map(
    readIfThere(`/proc/${pid}/environ`)
      .split('\0')
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )

/** Which apps that this configuration wants have no process, each with what it said last; or that PM2 does not run. */
export function whatIsDown(config: Config): string {
  if (!daemonRuns(config)) return `PM2 does not run in PM2_HOME=${config.pm2Home}: npm start starts everything.`
  const alive = new Set(
    pidFiles(config.pm2Home)
      .filter(({ file }) => runsBy(file))
      .map(({ app }) => app),
  )
  const wanted = [
    ...ecosystem(config, PACKAGE_ROOT).map(({ name }) => name),
    ...(config.embeddedMongo ? [MONGOD_APP] : []),
  ]
  const dead = wanted.filter((app) => !alive.has(app))
  if (dead.length === 0) return 'PM2 runs a process of every app.'
  return dead.map((app) => `Not running: ${app} (${lastLineOf(config, app)}). See npx pm2 ls.`).join('\n')
}

/**
 * For when PM2 knows no process: returns when nothing runs any more that a killed PM2 has left behind. It ends by itself
 * (`runApp`), later than a start takes; until then it would work beside what starts. Killed where it does not end, as PM2
 * would have. MongoDB is waited for where its data are taken over.
 */
export async function endLeftovers(config: Config, say: (line: string) => void): Promise<void> {
  const left = (): number[] =>
    pidFiles(config.pm2Home)
      .filter(({ app }) => app !== MONGOD_APP)
      .map(({ file }) => Number(readIfThere(file)))
      .filter((pid) => environmentOf(pid).get('PM2_HOME') === config.pm2Home)
  const killAt = performance.now() + config.drainMs + KILL_AFTER_MS
  if (left().length > 0) say('PM2 is gone: waiting for what it left running to end')
  while (left().length > 0) {
    if (performance.now() > killAt) for (const pid of left()) process.kill(pid, 'SIGKILL')
    await sleep(100)
  }
}

/** Beyond config.drainMs. */
const KILL_AFTER_MS = 3000

/** Of each process that PM2 has started; the file of one that ended is removed. */
function pidFiles(pm2Home: string): { app: string; file: string }[] {
  try {
    return readdirSync(join(pm2Home, 'pids')).flatMap((name) => {
      const app = /^(\w+)-\d+\.pid$/.exec(name)?.[1]
      return app === undefined ? [] : [{ app, file: join(pm2Home, 'pids', name) }]
    })
  } catch {
    return []
  }
}

const MAX_CHARS = 300

function lastLineOf({ pm2Home }: Config, app: string): string {
  const logs = join(pm2Home, 'logs', app)
  const last =
    lastWords({ errorLog: `${logs}-error.log`, outLog: `${logs}-out.log` })
      .split('\n')
      .at(-1) ?? ''
  return last.slice(0, MAX_CHARS)
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
