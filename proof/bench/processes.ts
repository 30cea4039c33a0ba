import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 10_000

/** A child process of ours that has said it is ready. */
export interface Running {
  name: string
  /** Of the process, and of its own workers where it has told of them. */
  pids: number[]
  /** What it said when it was ready. */
  message: unknown
  runs(): boolean
  stop(): Promise<void>
}

/** Starts a script as PM2 would, its log to a file; resolves with its first message. Rejects when it ends before. */
export async function startProcess(
  name: string,
  script: string,
  options: { args?: string[]; env?: Record<string, string>; logFile: string },
): Promise<Running> {
  const log = openSync(options.logFile, 'a')
  const child = fork(script, options.args ?? [], {
    env: { ...process.env, ...options.env },
    execArgv: ['--unhandled-rejections=strict'],
    stdio: ['ignore', log, log, 'ipc'],
  })
  const message = await firstMessage(child).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw new Error(`${name} did not get ready: ${(error as Error).message}; see ${options.logFile}`)
  })
  const { workers = [] } = (typeof message === 'object' ? message : {}) as { workers?: number[] }
  return {
    name,
    pids: [child.pid as number, ...workers],
    message,
    runs: () => runs(child),
    stop: () => stop(child),
  }
}

async function firstMessage(child: ChildProcess): Promise<unknown> {
  const late = new AbortController()
  try {
    return await Promise.race([
      once(child, 'message').then(([message]: unknown[]) => message),
      once(child, 'exit').then(([code]: unknown[]) => {
        throw new Error(`it ended with exit code ${String(code)}`)
      }),
      sleep(READY_WITHIN_MS, undefined, { signal: late.signal }).then(() => {
        throw new Error(`it took longer than ${READY_WITHIN_MS} ms`)
      }),
    ])
  } finally {
    late.abort()
  }
}

const runs = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null

async function stop(child: ChildProcess): Promise<void> {
  if (!runs(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
  await ended
  clearTimeout(timer)
}
