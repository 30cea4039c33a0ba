import { setTimeout as sleep } from 'node:timers/promises'
import { startShipped } from './arms/shipped.js'
import { cpuSecondsOf, residentBytesOf } from './counters.js'
import type { IdleApp } from './results.js'

const SETTLE_MS = 10_000
const WATCH_MS = 20_000

/** What the system uses when nobody asks anything of it, by app: all that `npm start` starts, MongoDB too. */
export async function measureIdle(placement: string): Promise<IdleApp[]> {
  const installation = await startShipped('', placement)
  try {
    const pidsOf = new Map<string, number[]>()
    for (const { name, pids } of installation.processes) pidsOf.set(name, [...(pidsOf.get(name) ?? []), ...pids])
    await sleep(SETTLE_MS)
    const before = new Map([...pidsOf].map(([app, pids]) => [app, cpuSecondsOf(pids)]))
    await sleep(WATCH_MS)
    return [...pidsOf].map(([app, pids]) => ({
      app,
      processes: pids.length,
      cpu: (cpuSecondsOf(pids) - (before.get(app) ?? 0)) / (WATCH_MS / 1000),
      residentMb: Math.round(residentBytesOf(pids) / 2 ** 20),
    }))
  } finally {
    await installation.stop()
  }
}
