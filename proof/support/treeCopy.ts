import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { listTree } from '../../platform/runtime/tree.js'
import { PACKAGE } from './installation.js'
import { until } from './until.js'

/** What a checkout has besides its sources. */
const NOT_SOURCES = new Set(['node_modules', 'dist', 'releases'])

/** A copy of the sources, which may be changed, with the node_modules of here. */
export async function copyTree(): Promise<{ root: string; remove(): Promise<void> }> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'holdfast tree-')))
  for (const entry of await readdir(PACKAGE)) {
    if (entry.startsWith('.') || NOT_SOURCES.has(entry)) continue
    await cp(join(PACKAGE, entry), join(root, entry), { recursive: true })
  }
  await symlink(join(PACKAGE, 'node_modules'), join(root, 'node_modules'))
  return { root, remove: () => rm(root, { recursive: true, force: true }) }
}

/** Where an operation of a tree stands. */
export function operationFile(root: string, operation: string): string {
  const located = listTree(join(root, 'functions')).find((each) => each.operation === operation)
  if (!located) throw new Error(`There is no operation ${operation} in ${root}`)
  return located.file
}

/** `npm run dev` in a tree. */
export interface Dev {
  child: ChildProcess
  /** What it has printed. */
  lines: string[]
  /** Resolves with the first line from `lines[from]` on that matches. */
  says(pattern: RegExp, from?: number): Promise<string>
  /** Ctrl-C, as a terminal sends it; resolves with the exit code. */
  interrupt(): Promise<number | null>
}

export function startDev(root: string, env: NodeJS.ProcessEnv): Dev {
  // A group of its own, as a terminal would give it: Ctrl-C goes to all of the group.
  const child = spawn('npm', ['run', '-s', 'dev'], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => void lines.push(line))
  const ended = once(child, 'close') as Promise<[number | null]>
  return {
    child,
    lines,
    async says(pattern, from = 0) {
      const found = (): string | undefined => lines.slice(from).find((line) => pattern.test(line))
      await until(() => found() !== undefined || child.exitCode !== null, {
        timeoutMs: 120_000,
        what: `npm run dev to say ${pattern}`,
      })
      const line = found()
      if (line === undefined) throw new Error(`npm run dev ended before it said ${pattern}:\n${lines.join('\n')}`)
      return line
    },
    async interrupt() {
      if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid as number), 'SIGINT')
      const [code] = await ended
      return code
    },
  }
}
