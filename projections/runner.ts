import type mongoose from 'mongoose'
import type { System } from '../platform/runtime/system.js'
import type { ProjectionFollower } from './follower.js'

/** What the change stream did not tell of is found by then. */
const SWEEP_MS = 2000
const RETRY_MS = 500
/** The server answers a waiting change stream so often: under the driver's socket timeout. */
const AWAIT_MS = 3000

export interface Runner {
  stop(): Promise<void>
}

/**
 * Keeps followers up with their logs: wakes them when something is appended (change stream), and looks by itself every
 * SWEEP_MS, which is what they can rely on. Any number of processes may run the same followers; one that comes second
 * writes nothing.
 */
export function startFollowers(system: System, followers: readonly ProjectionFollower[]): Runner {
  const { log } = system
  const wakers = new Map<string, Set<() => void>>()
  let stopped = false

  async function run(follower: ProjectionFollower): Promise<void> {
    let wake = (): void => {}
    let woken = false
    const waker = (): void => {
      woken = true
      wake()
    }
    wakers.set(follower.log, (wakers.get(follower.log) ?? new Set()).add(waker))
    while (!stopped) {
      woken = false
      let pauseMs = SWEEP_MS
      try {
        if ((await follower.advance()) > 0) continue
      } catch (error) {
        log.warn({ err: error, follower: follower.name }, 'the log is not followed, trying again')
        pauseMs = RETRY_MS
      }
      if (woken && pauseMs === SWEEP_MS) continue
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
        if (stopped) wake()
      })
      wake = () => {}
    }
  }

  const watches = [...new Map(followers.map((each) => [each.log, each])).values()].map(watch)
  const runs = followers.map(run)

  /** Best effort: a stream that breaks is opened anew, and what it missed the sweep finds. */
  function watch({ domain, log: collection }: ProjectionFollower): () => Promise<void> {
    let stream: mongoose.mongo.ChangeStream | undefined
    let timer: NodeJS.Timeout | undefined
    const wakeAll = (): void => wakers.get(collection)?.forEach((wake) => wake())
    const open = (): void => {
      if (stopped) return
      stream = system.databases
        .connection(domain)
        .getClient()
        .db(system.databases.connection(domain).name)
        .collection(collection)
        .watch([{ $match: { operationType: 'insert' } }, { $project: { _id: 1 } }], { maxAwaitTimeMS: AWAIT_MS })
      stream.on('change', wakeAll)
      stream.on('error', (error) => log.warn({ reason: error.message, collection }, 'the stream of a log broke'))
      stream.once('close', () => {
        if (!stopped) timer = setTimeout(open, RETRY_MS)
      })
    }
    open()
    return async () => {
      clearTimeout(timer)
      await stream?.close().catch(() => {})
    }
  }

  return {
    async stop() {
      stopped = true
      for (const all of wakers.values()) for (const wake of all) wake()
      await Promise.all(watches.map((close) => close()))
      await Promise.all(runs)
    },
  }
}
