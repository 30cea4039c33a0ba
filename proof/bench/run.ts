import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem, type as osType } from 'node:os'
import { join } from 'node:path'
import { ARMS } from './arms/arm.js'
import { openServer, type OwnServer } from './books.js'
import { measureCeiling } from './ceiling.js'
import { measureGrowth } from './growth.js'
import { measureIdle } from './idle.js'
import { measureInstances } from './instances.js'
import { measure, type Cell, type Sample } from './measure.js'
import { PARTS, type Options } from './options.js'
import { NoPostgres } from './postgres/server.js'
import { measureReads } from './reads.js'
import type { Results } from './results.js'
import type { Server } from '../support/server.js'
import { isOnPostgres, openStage, type Stage } from './stage.js'

/** Measures what the options ask for, on servers of its own; nothing is left running. Throws where `signal` aborts. */
export async function run(options: Options, say: (line: string) => void, signal: AbortSignal): Promise<Results> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-performance-'))
  const common = await openServer(options.nodes)
  const results: Results = {
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    startedAt: new Date().toISOString(),
    machine: describeMachine(common.server),
    options,
    skipped: [],
    ceilings: [],
    samples: [],
    reads: [],
    growth: null,
    instances: [],
    idle: [],
  }
  const parts: [part: Options['parts'][number], work: () => Promise<unknown>][] = [
    ['bookings', () => measureBookings(results, { directory, common, say, signal })],
    ['reads', async () => (results.reads = await measureReads(common.server, common.client, directory, options))],
    ['idle', async () => (results.idle = await measureIdle(options.placement))],
    ['instances', async () => (results.instances = await measureInstances(common, options.seconds))],
    ['growth', async () => (results.growth = await measureGrowth(directory, options.seconds))],
  ]
  try {
    for (const [part, work] of parts.filter(([name]) => options.parts.includes(name))) {
      signal.throwIfAborted()
      say(`Measuring ${PARTS[part]}`)
      await work()
    }
    return results
  } finally {
    await common.close()
    await rm(directory, { recursive: true, force: true })
  }
}

interface Surroundings {
  directory: string
  common: OwnServer
  say: (line: string) => void
  signal: AbortSignal
}

async function measureBookings(results: Results, { directory, common, say, signal }: Surroundings): Promise<void> {
  const { options, machine } = results
  const stages: Stage[] = []
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(new Error('Stopped')), { once: true }),
  )
  aborted.catch(() => {})
  try {
    for (const inFlight of new Set(options.levels.map((level) => level.inFlight))) {
      results.ceilings.push(await measureCeiling(common.client.db('ceiling'), inFlight, options.seconds))
    }
    for (const number of options.arms) {
      signal.throwIfAborted()
      say(`Starting arm ${number}: ${ARMS[number]}`)
      const stage = await openStage(number, { ...options, directory }).catch((error: unknown) => {
        if (!(error instanceof NoPostgres)) throw error
        say(`Skipped: ${error.message}`)
        results.skipped.push({ arm: number, why: error.message })
      })
      if (!stage) continue
      stages.push(stage)
      if (isOnPostgres(number)) machine.postgres = stage.books.version
    }
    for (const { arm, books } of stages) {
      signal.throwIfAborted()
      say(`Warming arm ${arm.number}`)
      const heatUp = { workload: 'uniform', seed: 0, seconds: 1, warmUpSeconds: options.heatUpSeconds } as const
      await measure(arm, books, { ...heatUp, pace: { inFlight: 64 } })
    }
    const all = cells(options).flatMap((cell) => stages.map((stage) => ({ cell, ...stage })))
    for (const [i, { cell, arm, books }] of all.entries()) {
      signal.throwIfAborted()
      const sample = await Promise.race([measure(arm, books, cell), aborted])
      results.samples.push(sample)
      say(`${i + 1}/${all.length}  ${line(sample)}`)
    }
  } finally {
    await Promise.allSettled(stages.map((stage) => stage.close()))
  }
}

/** Arms take turns within each, so that whatever else the machine does meets them all alike. */
const cells = ({ rounds, levels, seconds, warmUpSeconds, openLoopPerSecond }: Options): Cell[] =>
  Array.from({ length: rounds }, (_, i) => i + 1).flatMap((seed) => {
    const common = { seed, seconds, warmUpSeconds }
    const workloads = new Set(levels.map(({ workload }) => workload).filter((workload) => workload !== 'busy'))
    return [
      ...levels.map(({ workload, inFlight }) => ({ ...common, workload, pace: { inFlight } })),
      ...(openLoopPerSecond === null
        ? []
        : [...workloads].map((workload) => ({ ...common, workload, pace: { perSecond: openLoopPerSecond } }))),
    ]
  })

function line(sample: Sample): string {
  const { arm, workload, inFlight, perSecond, bookingsPerSecond, p50, p99, cpu, anomalies, refused, failed, reasons } =
    sample
  const pace = inFlight === null ? `${perSecond}/s offered` : `${inFlight} in flight`
  return [
    `arm ${arm} ${workload}, ${pace}: ${bookingsPerSecond.toFixed(0)}/s`,
    `p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} ms`,
    `cpu ${cpu.database.toFixed(2)} + ${cpu.product.toFixed(2)} + ${cpu.load.toFixed(2)}`,
    ...(refused + failed > 0 ? [`refused ${refused} failed ${failed} ${JSON.stringify(reasons)}`] : []),
    ...(anomalies.length > 0 ? [`${anomalies.length} ANOMALIES: ${anomalies[0]}`] : []),
  ].join(', ')
}

const describeMachine = ({ version, nodes }: Server): Results['machine'] => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memoryGb: Math.round(totalmem() / 2 ** 30),
  os: `${osType()} ${release()}`,
  node: process.version,
  postgres: null,
  mongod: `${version}, ${nodes === 1 ? 'one-node replica set' : `replica set of ${nodes}`}`,
  loadPerCore: (loadavg()[0] ?? 0) / availableParallelism(),
})
