import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem, type as osType } from 'node:os'
import { join } from 'node:path'
import { ARMS } from './arms/arm.js'
import { openServer } from './books.js'
import { measureCeiling } from './ceiling.js'
import { measureGrowth } from './growth.js'
import { measureIdle } from './idle.js'
import { measure, type Cell, type Sample } from './measure.js'
import type { Options } from './options.js'
import { measureReads } from './reads.js'
import type { Results } from './results.js'
import type { Server } from '../support/server.js'
import { openStage, type Stage } from './stage.js'

/** Measures what the options ask for, on servers of its own; nothing is left running. Throws where `signal` aborts. */
export async function run(options: Options, say: (line: string) => void, signal: AbortSignal): Promise<Results> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-performance-'))
  const common = await openServer(options.nodes)
  const stages: Stage[] = []
  try {
    const results: Results = {
      command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
      startedAt: new Date().toISOString(),
      machine: describeMachine(common.server),
      options,
      ceilings: [],
      samples: [],
      reads: [],
      growth: null,
      idle: [],
    }
    for (const inFlight of options.inFlight) {
      results.ceilings.push(await measureCeiling(common.client.db('ceiling'), inFlight, options.seconds))
    }
    for (const number of options.arms) {
      signal.throwIfAborted()
      say(`Starting arm ${number}: ${ARMS[number]}`)
      stages.push(await openStage(number, { ...options, directory }))
    }
    for (const { arm, books } of stages) {
      say(`Warming arm ${arm.number}`)
      const heatUp = { workload: 'uniform', seed: 0, seconds: 1, warmUpSeconds: options.heatUpSeconds } as const
      await measure(arm, books, { ...heatUp, pace: { inFlight: 64 } })
    }
    const all = [...cells(options)]
    for (const [i, cell] of all.entries()) {
      for (const { arm, books } of stages) {
        signal.throwIfAborted()
        const sample = await measure(arm, books, cell)
        results.samples.push(sample)
        say(`${i + 1}/${all.length}  ${line(sample)}`)
      }
    }
    for (const stage of stages.splice(0)) await stage.close()
    if (options.reads) {
      say('Reads')
      results.reads = await measureReads(common.server, common.client, directory, options)
    }
    signal.throwIfAborted()
    if (options.idle) {
      say('At rest')
      results.idle = await measureIdle(options.placement)
    }
    signal.throwIfAborted()
    if (options.growth) {
      say('Growth')
      results.growth = await measureGrowth(directory, options.seconds)
    }
    return results
  } finally {
    await Promise.allSettled(stages.map((stage) => stage.close()))
    await common.close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Arms take turns within each, so that whatever else the machine does meets them all alike. */
function* cells({ rounds, workloads, inFlight, seconds, warmUpSeconds, openLoopPerSecond }: Options): Generator<Cell> {
  for (let round = 1; round <= rounds; round++) {
    const common = { seed: round, seconds, warmUpSeconds }
    for (const workload of workloads) {
      // One user has one booking at a time, however many are asked for.
      const levels = workload === 'busy' ? [1] : inFlight
      for (const level of levels) yield { ...common, workload, pace: { inFlight: level } }
      if (openLoopPerSecond && workload !== 'busy')
        yield { ...common, workload, pace: { perSecond: openLoopPerSecond } }
    }
  }
}

function line(sample: Sample): string {
  const { arm, workload, inFlight, perSecond, bookingsPerSecond, p50, p99, cpu, anomalies, refused, failed, reasons } =
    sample
  const pace = inFlight === null ? `${perSecond}/s offered` : `${inFlight} in flight`
  return [
    `arm ${arm} ${workload}, ${pace}: ${bookingsPerSecond.toFixed(0)}/s`,
    `p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} ms`,
    `cpu ${cpu.database.toFixed(2)} + ${cpu.product.toFixed(2)} + ${cpu.load.toFixed(2)}`,
    ...(refused + failed > 0 ? [`refused ${refused} failed ${failed} ${JSON.stringify(reasons)}`] : []),
    ...(anomalies.length > 0 ? [`ANOMALIES ${anomalies.length}`] : []),
  ].join(', ')
}

const describeMachine = ({ version, nodes }: Server): Results['machine'] => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memoryGb: Math.round(totalmem() / 2 ** 30),
  os: `${osType()} ${release()}`,
  node: process.version,
  mongod: `${version}, ${nodes === 1 ? 'one-node replica set' : `replica set of ${nodes}`}`,
  loadPerCore: (loadavg()[0] ?? 0) / availableParallelism(),
})
