import { endToEndArm } from './arms/endToEnd.js'
import { startInstallation } from './arms/installation.js'
import { mongoBooks, type OwnServer } from './books.js'
import { measure } from './measure.js'
import type { Instances } from './results.js'
import { migrate } from './stage.js'

const INSTANCES = [1, 2, 4]
const ROUNDS = 3
const IN_FLIGHT = 64

/**
 * One, two and four instances of all functions, end to end, through one gateway worker: of each the median round. Round by
 * round, so that what else the machine does meets all of them alike.
 */
export async function measureInstances(own: OwnServer, seconds: number): Promise<Instances[]> {
  const runs: Instances[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    for (const instances of INSTANCES) {
      runs.push(await runInstances(own, { instances, round, seconds }))
      console.log(JSON.stringify(runs.at(-1)))
    }
  }
  return INSTANCES.map((instances) => {
    const rounds = runs.filter((run) => run.instances === instances)
    const median = rounds.sort((a, b) => a.bookingsPerSecond - b.bookingsPerSecond)[rounds.length >> 1] as Instances
    return { ...median, anomalies: rounds.flatMap(({ anomalies }) => anomalies) }
  })
}

async function runInstances(
  { server, client }: OwnServer,
  { instances, round, seconds }: { instances: number; round: number; seconds: number },
): Promise<Instances> {
  const name = `instances${instances}`
  await migrate(server.uri(name))
  const books = mongoBooks(client.db(name), server)
  await books.refill()
  const installation = await startInstallation(server.uri(name), `functions=${instances},gateway=1`)
  const arm = await endToEndArm(installation)
  try {
    const cell = { workload: 'uniform', pace: { inFlight: IN_FLIGHT }, seed: round, seconds, warmUpSeconds: 5 } as const
    const { bookingsPerSecond, p50, p99, cpu, roundTripsPerBooking, anomalies } = await measure(arm, books, cell)
    const databaseMs = (1000 * cpu.database) / bookingsPerSecond
    const productMs = (1000 * cpu.product) / bookingsPerSecond
    return { instances, bookingsPerSecond, p50, p99, databaseMs, productMs, roundTripsPerBooking, anomalies }
  } finally {
    await arm.close()
    await installation.stop()
  }
}
