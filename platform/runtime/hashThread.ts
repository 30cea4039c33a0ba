import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { Worker } from 'node:worker_threads'

/** OWASP's argon2id setting, written out: 19 MiB, two passes, one lane. The package's default algorithm is argon2id. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/**
 * Runs in the thread. Linux has a priority for each thread; elsewhere it would be the whole process's, so it is left.
 * Written as text, since a thread takes no TypeScript.
 */
const THREAD = `
const { setPriority, platform } = require('node:os')
const { parentPort, workerData } = require('node:worker_threads')
const { hashSync, verifySync } = require(workerData.argon2)
if (platform() === 'linux') setPriority(workerData.priority)
parentPort.on('message', ({ password, hash }) => {
  try {
    parentPort.postMessage({ value: hash === undefined ? hashSync(password, workerData.cost) : verifySync(hash, password) })
  } catch (error) {
    parentPort.postMessage({ error })
  }
})
`

/** One password at a time. */
export interface HashThread {
  hash(password: string): Promise<string>
  /** Rejects where the hash is none. */
  verify(hash: string, password: string): Promise<boolean>
}

/**
 * A thread that hashes when nobody else wants the core: a hash takes tens of milliseconds, and whoever guesses passwords
 * would take them from those who book. Started by its first work; keeps the process alive only while it has some.
 */
export function createHashThread(): HashThread {
  let worker: Worker | undefined

  function start(): Worker {
    const argon2 = createRequire(import.meta.url).resolve('@node-rs/argon2')
    const started = new Worker(THREAD, {
      eval: true,
      execArgv: [],
      workerData: { argon2, cost: COST, priority: constants.priority.PRIORITY_BELOW_NORMAL },
    })
    started.once('exit', () => (worker = undefined))
    return started
  }

  function ask(question: { password: string; hash?: string }): Promise<unknown> {
    const thread = (worker ??= start())
    thread.ref()
    return new Promise((resolve, reject) => {
      const settle = (end: () => void): void => {
        thread.off('message', answered).off('error', failed)
        thread.unref()
        end()
      }
      const answered = ({ value, error }: { value?: unknown; error?: Error }): void =>
        settle(() => (error ? reject(error) : resolve(value)))
      const failed = (error: Error): void => settle(() => reject(error))
      thread.once('message', answered).once('error', failed)
      thread.postMessage(question)
    })
  }

  return {
    hash: (password) => ask({ password }) as Promise<string>,
    verify: (hash, password) => ask({ password, hash }) as Promise<boolean>,
  }
}
