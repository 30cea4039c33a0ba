/**
 * Keeps one sender's many calls from delaying everybody else's one: of the calls of one lane (a user and an operation)
 * only so many run at once in this process, the others wait for their turn in that lane alone. Whoever has no other call
 * of the kind under way never waits.
 */
export interface Lanes {
  /** Runs the work when it is its turn. Rejects with `full()` where the lane holds too many that wait already. */
  run<T>(lane: string, work: () => Promise<T>): Promise<T>
}

export interface LaneLimits {
  /** Running at once in a lane. */
  atOnce: number
  /** Waiting in a lane. */
  waiting: number
  full: () => Error
}

interface Lane {
  running: number
  waiting: (() => void)[]
}

export function createLanes({ atOnce, waiting, full }: LaneLimits): Lanes {
  const lanes = new Map<string, Lane>()

  function leave(name: string, lane: Lane): void {
    lane.running--
    // In a turn of its own: a lane of calls that end without waiting for anything would hold up all other lanes.
    const next = lane.waiting.shift()
    if (next) {
      lane.running++
      setImmediate(next)
    } else if (lane.running === 0) lanes.delete(name)
  }

  return {
    async run(name, work) {
      const lane = lanes.get(name) ?? { running: 0, waiting: [] }
      lanes.set(name, lane)
      if (lane.running < atOnce) lane.running++
      else if (lane.waiting.length < waiting) await new Promise<void>((resolve) => lane.waiting.push(resolve))
      else throw full()
      try {
        return await work()
      } finally {
        leave(name, lane)
      }
    },
  }
}
