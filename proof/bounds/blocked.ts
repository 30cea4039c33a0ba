/** What some work cost the process that it ran in. */
export interface Blocked<T> {
  value: T
  /** The longest time in which nothing else had a turn. */
  blockedMs: number
  /** From beginning to end. */
  tookMs: number
}

/**
 * Runs work, and looks all the time whether others would have their turn. Of a time without one only that counts in which
 * this process had a core: what the rest of the machine does is no work of ours.
 */
export async function blockedBy<T>(work: () => Promise<T>): Promise<Blocked<T>> {
  let blockedMs = 0
  let last = clocks()
  let next: NodeJS.Immediate | undefined
  const look = (): void => {
    const now = clocks()
    blockedMs = Math.max(blockedMs, between(last, now))
    last = now
  }
  const again = (): void => {
    look()
    next = setImmediate(again)
  }
  again()
  const startedAtMs = performance.now()
  try {
    const value = await work()
    look()
    return { value, blockedMs, tookMs: performance.now() - startedAtMs }
  } finally {
    clearImmediate(next)
  }
}

/** What one piece of work that waits for nothing takes. */
export function timeOf(work: () => void): number {
  const before = clocks()
  work()
  return between(before, clocks())
}

interface Clocks {
  wallMs: number
  cpuMs: number
}

function clocks(): Clocks {
  const { user, system } = process.cpuUsage()
  return { wallMs: performance.now(), cpuMs: (user + system) / 1000 }
}

/** Other threads of this process work too, so CPU time alone may be more. */
const between = (from: Clocks, to: Clocks): number => Math.min(to.wallMs - from.wallMs, to.cpuMs - from.cpuMs)
