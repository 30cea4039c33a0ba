import { createAlarm, type Alarm } from '../platform/lib/alarm.js'
import type { LogHint } from '../platform/logs/appendLog.js'
import type { System } from '../platform/runtime/system.js'
import type { ProjectionFollower } from './follower.js'

/**
 * What nobody told of is found by then: whoever appended may have died before it said so, and all look when its process
 * is back. So this is for what nobody thought of: views must not be late for ever.
 */
const SWEEP_MS = 30_000
const RETRY_MS = 500

export interface Runner {
  stop(): Promise<void>
}

/**
 * Keeps followers up with their logs: wakes them when whoever appends says so (`tell`), and looks by itself every
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

  system.hear({
    connected: () => alarms.forEach((alarm) => alarm.wake()),
    told(hint) {
      const { grown } = hint as Partial<LogHint>
      for (const [follower, alarm] of alarms) if (follower.log === grown) alarm.wake()
    },
  })
  const runs = [...alarms].map(([follower, alarm]) => run(follower, alarm))

  return {
    async stop() {
      stopped = true
      for (const alarm of alarms.values()) alarm.wake()
      await Promise.all(runs)
    },
  }
}
