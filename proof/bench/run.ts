import mongoose from 'mongoose'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem, type as osType } from 'node:os'
import { join } from 'node:path'
import { measureCeiling } from './ceiling.js'
import { measureGrowth } from './growth.js'
import { measureIdle } from './idle.js'
import { measure, type Cell, type Sample } from './measure.js'
import type { Options } from './options.js'
import { measureReads } from './reads.js'
import type { Results } from './results.js'
import { startServer, type Server } from '../support/server.js'
import { openStage, type Stage } from './stage.js'

/** Measures what the options ask for, on a server of its own; nothing is left running. */
export async function run(options: Options): Promise<Results> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-performance-'))
  const server = await startServer(options.nodes)
  const client = await new mongoose.mongo.MongoClient(server.uri('admin'), { maxPoolSize: 256 }).connect()
  const stages: Stage[] = []
  try {
    const results: Results = {
      command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
      startedAt: new Date().toISOString(),
      machine: describeMachine(server),
      options,
      ceilings: [],
      samples: [],
      reads: [],
      growth: null,
      idle: [],
    }
    for (const inFlight of options.inFlight) {
      results.ceilings.push(await measureCeiling(client.db('ceiling'), inFlight, options.seconds))
    }
    for (const number of options.arms)
      stages.push(await openStage(number, { server, client, directory, placement: options.placement }))
    for (const { arm, db } of stages) {
      const common = { workload: 'uniform', seed: 0, seconds: 1, warmUpSeconds: options.heatUpSeconds } as const
      await measure(arm, db, server, { ...common, pace: { inFlight: 64 } })
    }
    for (const cell of cells(options)) {
      for (const { arm, db } of stages) {
        const sample = await measure(arm, db, server, cell)
        results.samples.push(sample)
        console.log(line(sample))
      }
    }
    for (const stage of stages.splice(0)) await stage.close()
    if (options.reads) results.reads = await measureReads(server, client, directory, options)
    if (options.idle) results.idle = await measureIdle(server, client, options.placement)
    if (options.growth) results.growth = await measureGrowth(directory, options.seconds)
    return results
  } finally {
    await Promise.allSettled(stages.map((stage) => stage.close()))
    await client.close()
    await server.stop()
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
