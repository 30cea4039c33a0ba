import type { mongo } from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'
import { startInstallation } from './arms/installation.js'
import { cpuSecondsOf, residentBytesOf } from './counters.js'
import { refill } from './seed.js'
import type { IdleApp } from './results.js'
import type { Server } from '../support/server.js'
import { migrate } from './stage.js'

const SETTLE_MS = 10_000
const WATCH_MS = 20_000

/** What the system uses when nobody asks anything of it, by app. */
export async function measureIdle(server: Server, client: mongo.MongoClient, placement: string): Promise<IdleApp[]> {
  await migrate(server.uri('idle'))
  await refill(client.db('idle'))
  const installation = await startInstallation(server.uri('idle'), placement)
  try {
    const pidsOf = new Map<string, number[]>([['mongod', server.pids]])
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
