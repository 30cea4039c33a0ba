import { spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Config } from '../../config/index.js'
import { NAMESPACE } from '../../platform/app/ecosystem.js'
import { PACKAGE_ROOT as ROOT } from '../../platform/lib/packageRoot.js'
import { CommandFailure } from './command.js'

export const ECOSYSTEM = join(ROOT, 'ecosystem.config.js')

const PM2 = join(ROOT, 'node_modules/.bin/pm2')

/** One process that PM2 knows. */
export interface Pm2Process {
  id: number
  app: string
  /** 0: not running. */
  pid: number
  status: 'online' | 'launching' | 'stopping' | 'stopped' | 'errored' | 'waiting restart'
  /** Ends within min_uptime of the start that PM2 holds against it. */
  unstableRestarts: number
  startedAt: number
  memoryBytes: number
  args: string[]
  /** Its environment. */
  env: Readonly<Record<string, unknown>>
  outLog: string
  errorLog: string
  /** Started from this directory; others in the same PM2_HOME are none of our business. */
  ours: boolean
}

/**
 * Runs PM2's command line, which starts PM2's daemon where none runs. Answers what it printed; throws it, with the exit
 * code, when that is not 0. PM2 is a program that we run, never a library that we load.
 */
export async function pm2(args: string[], onLine: (line: string) => void = () => {}): Promise<string> {
  const child = spawn(PM2, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      // Neither banner nor colours; no look at PM2's servers for a newer version.
      ...{ PM2_DISCRETE_MODE: 'true', PM2_DISABLE_VERSION_CHECK: 'true', NO_COLOR: '1' },
      // Apps started at a time, each of which is waited for: by default 2, and on a small machine there are three.
      PM2_CONCURRENT_ACTIONS: '3',
    },
  })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      onLine(line)
    })
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).finally(() => clearTimeout(timer))
  const output = lines.join('\n')
  if (child.signalCode === 'SIGKILL')
    throw new CommandFailure(`"pm2 ${args[0]}" did not end within ${PATIENCE_MS / 1000} s: see npx pm2 ls.\n${output}`)
  if (code !== 0) throw new CommandFailure(`"pm2 ${args[0]}" failed (exit ${code}):\n${output.trim()}`)
  return output
}

/** PM2 waits half a minute for each instance to be ready, one after the other; beyond it something is wrong with PM2. */
const PATIENCE_MS = 300_000

/** Whether PM2's daemon runs. Asking PM2 itself would start one. */
export const daemonRuns = ({ pm2Home }: Config): boolean => runsBy(join(pm2Home, 'pm2.pid'))

/** Whether the process runs whose id stands in this file. */
export function runsBy(pidFile: string): boolean {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'))
    return pid > 0 && process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Everything that PM2 runs in this PM2_HOME. */
export async function listProcesses(config: Config): Promise<Pm2Process[]> {
  if (!daemonRuns(config)) return []
  const output = await pm2(['jlist'])
  const list = JSON.parse(output.slice(output.lastIndexOf('\n') + 1)) as RawProcess[]
  return list.map(({ pm_id, name, pid, monit, pm2_env: env }) => ({
    id: pm_id,
    app: name,
    pid,
    status: env.status,
    unstableRestarts: env.unstable_restarts,
    startedAt: env.pm_uptime,
    memoryBytes: monit.memory,
    args: env.args ?? [],
    env,
    outLog: env.pm_out_log_path,
    errorLog: env.pm_err_log_path,
    ours: env.namespace === NAMESPACE && join(env.pm_cwd, '/') === join(ROOT, '/'),
  }))
}

/** The end of what an app wrote last, in words: what every attempt to start repeats stands there once. */
export function lastWords({ errorLog, outLog }: Pick<Pm2Process, 'errorLog' | 'outLog'>): string {
  const [latest] = [errorLog, outLog]
    .flatMap((file) => (statSync(file, { throwIfNoEntry: false })?.size ? [{ file, at: statSync(file).mtimeMs }] : []))
    .sort((a, b) => b.at - a.at)
  if (!latest) return '(it wrote nothing)'
  const lines = readFileSync(latest.file, 'utf8').trimEnd().split('\n')
  return [...new Set(lines.slice(-LAST_LINES).map(inWords))].join('\n')
}

const LAST_LINES = 12

/** A line of pino's JSON as its message and, where there is one, the error's stack; any other line as it is. */
export function inWords(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message: string; stack?: string } }
    return [msg, err?.stack ?? err?.message].filter(Boolean).join(': ')
  } catch {
    return line
  }
}

interface RawProcess {
  pm_id: number
  name: string
  pid: number
  monit: { memory: number }
  pm2_env: {
    status: Pm2Process['status']
    unstable_restarts: number
    pm_uptime: number
    args?: string[]
    pm_out_log_path: string
    pm_err_log_path: string
    pm_cwd: string
    namespace: string
    [name: string]: unknown
  }
}
