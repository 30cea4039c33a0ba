import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../support/numbers.js'
import { listTree } from '../../../platform/runtime/tree.js'

const BACK_WITHIN_MS = 60_000
const STORE = ['tickets', 'orders', 'expirations', 'payments']

/** The system as processes of its own, two of each; every one of them may be killed. */
export interface Processes {
  /** Kills one after the other, each at a time and in an order that the random numbers decide, until told to stop. */
  startKilling(random: Random, pauseMs: readonly [least: number, most: number]): { stop(): Promise<number> }
  stop(): Promise<void>
}

interface Kind {
  name: string
  script: string
  args: string[]
}

/** Starts them from `dist`, and resolves when all of them answer. */
export async function startProcesses(dist: string, env: Record<string, string>, logFile: string): Promise<Processes> {
  const operations = (hosts: (domain: string) => boolean): string =>
    listTree()
      .filter(({ domain }) => hosts(domain))
      .map(({ operation }) => operation)
      .join(',')
  const host = (app: string, hosts: (domain: string) => boolean, ...more: string[]): Kind => ({
    name: app,
    script: 'platform/app/host.js',
    args: ['--app', app, '--operations', operations(hosts), ...more],
  })
  const kinds: Kind[] = [
    host('store', (domain) => STORE.includes(domain)),
    host('events', (domain) => domain === 'events', '--dispatch'),
    host('others', (domain) => domain !== 'events' && !STORE.includes(domain)),
    { name: 'jobs', script: 'jobs/main.js', args: [] },
  ]
  const places: Kind[] = [...kinds, ...kinds, { name: 'webhooks', script: 'webhooks/main.js', args: [] }]
  const log = openSync(logFile, 'a')
  const running: ChildProcess[] = []
  let stopping = false

  function start(place: number): ChildProcess {
    const { script, args } = places[place] as Kind
    const child = fork(join(dist, script), args, {
      env: { ...process.env, ...env },
      execArgv: ['--unhandled-rejections=strict'],
      stdio: ['ignore', log, log, 'ipc'],
    })
    running[place] = child
    // As PM2 does: whatever ended is started again.
    child.once('exit', () => {
      if (!stopping) start(place)
    })
    return child
  }

  await Promise.all(places.map((_, place) => once(start(place), 'message')))
  return {
    startKilling(random, [least, most]) {
      const end = new AbortController()
      async function kill(): Promise<number> {
        let killed = 0
        while (!end.signal.aborted) {
          const pause = sleep(least + random() * (most - least), undefined, { signal: end.signal })
          if (!(await pause.then(() => true).catch(() => false))) break
          // One at a time: a system of which nothing is there shows nothing.
          const place = Math.floor(random() * running.length)
          if (!running[place]?.kill('SIGKILL')) continue
          killed++
          await once(running[place], 'exit')
          await Promise.race([once(running[place], 'message'), sleep(BACK_WITHIN_MS)])
        }
        return killed
      }
      const killing = kill()
      return {
        stop() {
          end.abort()
          return killing
        },
      }
    },
    async stop() {
      stopping = true
      const alive = running.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
      const ends = alive.map((child) => once(child, 'exit'))
      for (const child of alive) child.kill('SIGKILL')
      await Promise.all(ends)
      closeSync(log)
    },
  }
}
