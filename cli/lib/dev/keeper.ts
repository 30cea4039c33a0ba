import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PACKAGE_ROOT } from '../../../platform/lib/packageRoot.js'
import { listTree } from '../../../platform/runtime/tree.js'
import { CommandFailure } from '../command.js'
import type { FromProcess, ToProcess } from './messages.js'

const PROCESS = fileURLToPath(new URL('./process.ts', import.meta.url))
/** For the process to end by itself; it takes two seconds at most. */
const END_MS = 5000

/** Keeps one process that runs the tree as it is on disk, or as it was when it last loaded. */
export interface Keeper {
  /** Throws where it does not load. */
  start(): Promise<void>
  /** These files were saved, made or removed: what answers follows, or it is said why not. */
  saved(files: readonly string[]): void
  stop(): Promise<void>
}

export function createKeeper(env: NodeJS.ProcessEnv, say: (line: string) => void): Keeper {
  let current: ChildProcess | undefined
  /** The functions that it loaded. Nothing imports a function's file but the tree, so those are put in place one by one. */
  let loaded = new Set<string>()
  /** The tree on disk has what the process does not: whatever is saved next, all is loaded anew. */
  let stale = false
  let ending = false
  const processes = new Set<ChildProcess>()
  let work: Promise<void> = Promise.resolve()

  function spawnProcess(): ChildProcess {
    const child = fork(PROCESS, { env, execArgv: ['--import=tsx', '--unhandled-rejections=strict'], cwd: PACKAGE_ROOT })
    processes.add(child)
    child.on('message', (message: FromProcess) => {
      if (message.is === 'reloaded') say(`${message.name} reloaded`)
      if (message.is === 'refused') say(`${message.name} not reloaded, the one of before answers: ${message.why}`)
    })
    child.once('exit', (code) => {
      processes.delete(child)
      if (child !== current || ending) return
      current = undefined
      stale = true
      say(`The process ended by itself (exit code ${code}): save a file to start it again`)
    })
    return child
  }

  /** The new process first loads beside the old one, so that one which does not load changes nothing. */
  async function replace(): Promise<void> {
    const startedAt = performance.now()
    const files = functionFiles()
    const next = spawnProcess()
    await hears(next, 'loaded')
    const before = current
    current = next
    loaded = new Set(files)
    if (before) await end(before)
    order(next, { do: 'begin' })
    await hears(next, 'ready')
    stale = false
    if (before) say(`All reloaded in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  }

  async function follow(files: readonly string[]): Promise<void> {
    if (ending) return
    if (current && !stale && files.every((file) => loaded.has(file) && functionFiles().includes(file))) {
      for (const file of files) order(current, { do: 'reload', file })
      return
    }
    say(`${files.map((file) => relative(PACKAGE_ROOT, file)).join(', ')} saved: loading everything`)
    stale = true
    await replace()
  }

  return {
    async start() {
      const started = replace()
      work = started.catch(() => {})
      await started
    },
    saved(files) {
      work = work
        .then(() => follow(files))
        .catch((error: Error) => {
          if (!ending) say(`Not reloaded${current ? ', the code of before answers' : ''}: ${error.message}`)
        })
    },
    async stop() {
      ending = true
      await Promise.all([...processes].map(end))
    },
  }
}

const functionFiles = (): string[] => listTree().map(({ file }) => file)

const order = (child: ChildProcess, message: ToProcess): void => void child.send(message)

/** Resolves when the process says so; rejects with what it says instead, or when it ends. */
function hears(child: ChildProcess, awaited: FromProcess['is']): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: FromProcess) => {
      if (message.is === awaited) resolve()
      if (message.is === 'failed') reject(new CommandFailure(message.why))
    })
    child.once('exit', (code) => reject(new CommandFailure(`the process ended with exit code ${code}`)))
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  const patience = setTimeout(() => child.kill('SIGKILL'), END_MS)
  if (child.connected) order(child, { do: 'end' })
  await ended
  clearTimeout(patience)
}
