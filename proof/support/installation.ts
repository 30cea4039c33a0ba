import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig, type Config } from '../../config/index.js'
import { PACKAGE_ROOT as PACKAGE } from '../../platform/lib/packageRoot.js'
import { withFileLock } from '../../platform/lib/fileLock.js'
import { until } from './until.js'
import { freeUdpPort } from './ports.js'

export { PACKAGE }

/** PLACEMENT where two cores carry clients and kills as well: what the clients use twice, everything else once. */
export const LEAN_PLACEMENT = '*=1,users=2,bookings=2,gateway=2'

/** What a command printed, and how it ended. */
export interface Run {
  code: number | null
  output: string
}

export interface Pm2Row {
  id: number
  app: string
  pid: number
  status: string
  restarts: number
}

/** A whole system of its own: ports, PM2_HOME, DATA_DIR, discovery port. Nothing of it runs before it is told to. */
export interface Installation {
  env: NodeJS.ProcessEnv
  config: Config
  url: string
  /** Runs a command of the command line (`start`, `stop`, ...) as its npm script does after the build. */
  cli(name: string, ...args: string[]): Promise<Run>
  /** As an admin of the machine prints one. */
  adminToken(): Promise<string>
  pm2(...args: string[]): Promise<Run>
  rows(app?: string): Promise<Pm2Row[]>
  /** Stops what runs, removes it all, and throws where a process of it is left. */
  remove(): Promise<void>
}

/** `root`: another copy of the package; it is built already. */
export async function install(settings: Record<string, string> = {}, root = PACKAGE): Promise<Installation> {
  if (root === PACKAGE) await build()
  // A space, as in many people's paths.
  const home = await mkdtemp(join(tmpdir(), 'holdfast system-'))
  const [gatewayPort, jobsPort, webhookPort] = (await freeTcpPorts(3)) as [number, number, number]
  const env = {
    ...process.env,
    NODE_ENV: 'development',
    PM2_HOME: join(home, 'pm2'),
    DATA_DIR: join(home, 'data'),
    GATEWAY_PORT: String(gatewayPort),
    JOBS_PORT: String(jobsPort),
    WEBHOOK_PORT: String(webhookPort),
    DISCOVERY_PORT: String(await freeUdpPort()),
    RATE_LIMIT_PER_SECOND: '0',
    PM2_DISCRETE_MODE: 'true',
    PM2_DISABLE_VERSION_CHECK: 'true',
    NO_COLOR: '1',
    ...settings,
  }
  const seen = new Set<number>()

  const pm2 = (...args: string[]) => run(join(PACKAGE, 'node_modules/.bin/pm2'), args, root, env)
  const installation: Installation = {
    env,
    config: loadConfig(env),
    url: `http://127.0.0.1:${gatewayPort}`,
    cli: (name, ...args) => run(process.execPath, [join(root, 'dist/cli', `${name}.js`), ...args], root, env),
    async adminToken() {
      const { code, output } = await installation.cli('token', '--role', 'admin')
      const token = output.trim().split('\n').at(-1)
      if (code !== 0 || !token) throw new Error(`npm run token failed:\n${output}`)
      return token
    },
    pm2,
    async rows(app) {
      const { output } = await pm2('jlist')
      const list = JSON.parse(output.slice(output.trimEnd().lastIndexOf('\n') + 1)) as RawRow[]
      for (const { pid } of list) if (pid > 0) seen.add(pid)
      return list
        .map(({ pm_id, name, pid, pm2_env: { status, restart_time } }) => ({
          id: pm_id,
          app: name,
          pid,
          status,
          restarts: restart_time,
        }))
        .filter((row) => !app || row.app === app)
    },
    async remove() {
      const daemon = Number(await readFile(join(env.PM2_HOME, 'pm2.pid'), 'utf8').catch(() => '0'))
      if (daemon && alive(daemon)) {
        seen.add(daemon)
        await installation.rows()
        await pm2('kill')
      }
      await rm(home, { recursive: true, force: true })
      const left = (): number[] => [...new Set([...seen, ...processesNaming(home)])].filter(alive)
      await until(() => left().length === 0, { what: `processes of ${home} to end` }).catch((error: unknown) => {
        throw new Error(`Still running: ${left().join(', ')}`, { cause: error })
      })
    },
  }
  return installation
}

/** Everything started with this directory in its environment, whoever started it; empty where there is no /proc. */
function processesNaming(directory: string): number[] {
  const running = existsSync('/proc') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : []
  return running.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(directory)
    } catch {
      return false
    }
  })
}

interface RawRow {
  pm_id: number
  name: string
  pid: number
  pm2_env: { status: string; restart_time: number }
}

let built: Promise<void> | undefined

/** Once; of test files that run at the same time the first, and the compiler sees by itself that nothing changed. */
export const build = (): Promise<void> =>
  (built ??= withFileLock(join(PACKAGE, 'node_modules/.cache/holdfast-build.lock'), async () => {
    const { code, output } = await run('npm', ['run', '-s', 'build'], PACKAGE, process.env)
    if (code !== 0) throw new Error(`npm run build failed:\n${output}`)
  }))

export async function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Run> {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  // close: the output ended too, so nothing that goes on running holds it.
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Below where systems take the ports of outgoing connections from: nobody takes them while their owner is down. */
const PORTS = { from: 12_000, to: 31_000 }

/** Of the loopback. They stay free until somebody listens there. */
export async function freeTcpPorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from))
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
