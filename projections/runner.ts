import type { mongo } from 'mongoose'
import { byDatabase } from '../platform/database/database.js'
import { watchCollections } from '../platform/database/watchCollections.js'
import { createAlarm, type Alarm } from '../platform/lib/alarm.js'
import type { System } from '../platform/runtime/system.js'
import type { ProjectionFollower } from './follower.js'

/**
 * What the change stream did not tell of is found by then. It tells of all that is appended while it is there, and wakes
 * everybody when it comes back, so this is for what nobody thought of: views must not be late for ever.
 */
const SWEEP_MS = 30_000
const RETRY_MS = 500

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
  const alarms = new Map(followers.map((each) => [each, createAlarm()]))
  let stopped = false

  async function run(follower: ProjectionFollower, alarm: Alarm): Promise<void> {
    while (!stopped) {
      let pauseMs = SWEEP_MS
      try {
        if ((await follower.advance()) > 0) continue
      } catch (error) {
        log.warn({ err: error, follower: follower.name }, 'the log is not followed, trying again')
        pauseMs = RETRY_MS
      }
      await alarm.wait(pauseMs)
    }
  }

  /** A stream a database: domains may share one. */
  function watch(domains: readonly string[]): { close(): Promise<void> } {
    const db = system.databases.connection(domains[0] as string).db as mongo.Db
    const followed = followers.filter(({ domain }) => domains.includes(domain))
    return watchCollections(db, [...new Set(followed.map((each) => each.log))], {
      inserted: (collection) =>
        followed.filter((each) => each.log === collection).forEach((each) => alarms.get(each)?.wake()),
      log,
    })
  }

  const watches = byDatabase(system.config, [...new Set(followers.map(({ domain }) => domain))]).map(watch)
  const runs = [...alarms].map(([follower, alarm]) => run(follower, alarm))

  return {
    async stop() {
      stopped = true
      for (const alarm of alarms.values()) alarm.wake()
      await Promise.all(watches.map((each) => each.close()))
      await Promise.all(runs)
    },
  }
}
