import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { HOST_SCRIPT, type AppSpec } from '../../platform/app/ecosystem.js'
import { CommandFailure } from './command.js'
import { freePort } from './mongodData.js'
import { inWords } from './pm2.js'
import { RELEASE } from './release.js'

/** What every app listens at that only one can have. */
const PORTS = ['GATEWAY_PORT', 'JOBS_PORT', 'WEBHOOK_PORT']
/** At once: more would take the CPU of those that serve. */
const AT_ONCE = 2
const LAST_WORDS = 8
/** Generous: nothing of what serves waits for it. */
const PATIENCE_MS = 120_000

export interface Rehearsal {
  /** Lets what is left of it end its calls. */
  end(): Promise<void>
}

/**
 * Starts one instance of each app from this build, beside those that run, with the settings that it will have, and throws
 * with its last words where one does not get ready: then nothing of what runs was touched. Single hosts of functions stay
 * until `end`, so that calls have somebody to go to while PM2 restarts the one that there is.
 */
export async function rehearse(apps: readonly AppSpec[], say: (line: string) => void): Promise<Rehearsal> {
  const staying: ChildProcess[] = []
  const end = async (): Promise<void> => {
    await Promise.all(staying.map(leave))
  }
  const waiting = [...apps]
  const worker = async (): Promise<void> => {
    for (let app = waiting.shift(); app; app = waiting.shift()) {
      const child = await start(app)
      if (app.instances === 1 && scriptOf(app) === HOST_SCRIPT) staying.push(child)
      else await leave(child)
    }
  }
  say(`Trying this build beside what runs: ${apps.map(({ name }) => name).join(', ')}`)
  const [failed] = (await Promise.allSettled(Array.from({ length: AT_ONCE }, worker))).filter(
    (each): each is PromiseRejectedResult => each.status === 'rejected',
  )
  if (!failed) return { end }
  await end()
  throw failed.reason
}

const scriptOf = ({ script }: AppSpec): string => relative('dist', script)

async function start(app: AppSpec): Promise<ChildProcess> {
  const ports = await Promise.all(PORTS.map(async (name) => [name, String(await freePort())] as const))
  const child = fork(join(RELEASE, scriptOf(app)), app.args ?? [], {
    cwd: app.cwd,
    env: { ...process.env, ...Object.fromEntries(ports) },
    execArgv: app.node_args.split(' '),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    if (stream)
      createInterface({ input: stream }).on('line', (line) => void lines.splice(0, lines.push(line) - LAST_WORDS))
  }
  const settled = new AbortController()
  const outcome = await Promise.race([
    once(child, 'message').then(() => 'ready' as const),
    once(child, 'close').then(() => 'it ended'),
    sleep(PATIENCE_MS, `it was not ready after ${PATIENCE_MS / 1000} s`, { signal: settled.signal }),
  ])
  settled.abort()
  if (outcome === 'ready') return child
  child.kill('SIGKILL')
  throw new CommandFailure(
    [
      `The app ${app.name} of this build does not start: ${outcome}. Nothing was stopped, and what runs is as it was.`,
      `Mend what its last words name, and try again:`,
      ...new Set(lines.map(inWords)),
    ].join('\n'),
  )
}

async function leave(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGINT')
  await once(child, 'close')
}
