import type { Outcome } from './arms/arm.js'
import { percentile } from '../support/numbers.js'

/** What came of the requests that ended within the measured time. */
export interface Measured {
  seconds: number
  accepted: number
  refused: number
  failed: number
  /** Of the accepted ones, ms. */
  p50: number
  p95: number
  p99: number
}

export interface Tally extends Measured {
  /** Over the whole run, warm-up and rest included: what the audit must find. */
  acknowledged: number
  offered: number
  unknown: number
  /** How often each code or error was the reason. */
  reasons: Record<string, number>
}

export interface LoadOptions<R> {
  /** undefined: nothing can be asked at the moment. */
  next(): R | undefined
  send(request: R): Promise<Outcome>
  done(request: R): void
  warmUpMs: number
  measureMs: number
  /** Called when measuring begins and ends. */
  onWindow(edge: 'begin' | 'end'): Promise<void>
}

/** Collects outcomes; counts those that end within the window. */
function recorder() {
  const latencies: number[] = []
  const counts = { accepted: 0, refused: 0, failed: 0 }
  const all = { offered: 0, acknowledged: 0, unknown: 0 }
  const reasons: Record<string, number> = {}
  let open = false
  let openedAt = 0
  let seconds = 0
  return {
    begin() {
      open = true
      openedAt = performance.now()
    },
    end() {
      open = false
      seconds = (performance.now() - openedAt) / 1000
    },
    offered: () => void all.offered++,
    settled(outcome: Outcome, sinceMs: number) {
      const { result } = outcome
      if (result === 'accepted') all.acknowledged++
      else reasons[outcome.why] = (reasons[outcome.why] ?? 0) + 1
      if (result === 'failed') all.unknown++
      if (!open) return
      counts[result]++
      if (result === 'accepted') latencies.push(performance.now() - sinceMs)
    },
    tally(): Tally {
      const sorted = Float64Array.from(latencies).sort()
      return {
        seconds,
        ...counts,
        ...all,
        reasons,
        p50: percentile(sorted, 0.5),
        p95: percentile(sorted, 0.95),
        p99: percentile(sorted, 0.99),
      }
    },
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** So many requests at a time, each followed by the next; how fast do they go? */
export async function closedLoop<R>(options: LoadOptions<R> & { inFlight: number }): Promise<Tally> {
  const record = recorder()
  let stopped = false

  async function worker(): Promise<void> {
    while (!stopped) {
      const request = options.next()
      if (request === undefined) return
      const startedAt = performance.now()
      record.offered()
      record.settled(await options.send(request), startedAt)
      options.done(request)
    }
  }

  const workers = Array.from({ length: options.inFlight }, worker)
  await sleep(options.warmUpMs)
  await options.onWindow('begin')
  record.begin()
  await sleep(options.measureMs)
  record.end()
  await options.onWindow('end')
  stopped = true
  await Promise.all(workers)
  return record.tally()
}

/** So many requests in all, so many at a time; every one must succeed. */
export async function runAll<R>(
  requests: R[],
  inFlight: number,
  send: (request: R) => Promise<unknown>,
): Promise<{ perSecond: number; p50: number }> {
  const latencies: number[] = []
  const waiting = requests.values()
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (const request of waiting) {
        const sentAt = performance.now()
        await send(request)
        latencies.push(performance.now() - sentAt)
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  return {
    perSecond: requests.length / seconds,
    p50: percentile(
      latencies.sort((a, b) => a - b),
      0.5,
    ),
  }
}

/**
 * Requests at a fixed rate, whatever the answers do. Latency counts from when a request was meant to start, so that a
 * stall shows in every request that it held up.
 */
export async function openLoop<R>(options: LoadOptions<R> & { perSecond: number }): Promise<Tally> {
  const record = recorder()
  const pending = new Set<Promise<void>>()
  const due: number[] = []
  const startedAt = performance.now()
  const total = Math.round((options.perSecond * (options.warmUpMs + options.measureMs)) / 1000)
  let scheduled = 0

  function start(): void {
    while (due.length > 0) {
      const request = options.next()
      if (request === undefined) return
      const intendedAt = due.shift() as number
      record.offered()
      const run = options
        .send(request)
        .then((outcome) => {
          record.settled(outcome, intendedAt)
          options.done(request)
        })
        .finally(() => {
          pending.delete(run)
          start()
        })
      pending.add(run)
    }
  }

  const edges = (async () => {
    await sleep(options.warmUpMs)
    await options.onWindow('begin')
    record.begin()
    await sleep(options.measureMs)
    record.end()
    await options.onWindow('end')
  })()
  while (scheduled < total) {
    const nowMs = performance.now() - startedAt
    for (; scheduled < total && (scheduled * 1000) / options.perSecond <= nowMs; scheduled++) {
      due.push(startedAt + (scheduled * 1000) / options.perSecond)
    }
    start()
    await sleep(1)
  }
  await edges
  while (pending.size > 0) await Promise.all(pending)
  return record.tally()
}
