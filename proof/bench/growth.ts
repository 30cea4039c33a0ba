import mongoose, { type mongo } from 'mongoose'
import { join } from 'node:path'
import type { Arm } from './arms/arm.js'
import { inProcessArm } from './arms/inProcess.js'
import { growTo, insertLongBookedCar, insertStuckBookings, storedTotals } from './history.js'
import { closedLoop, runAll } from './load.js'
import type { Growth, GrowthSize } from './results.js'
import { refill } from './seed.js'
import { startServer, type Server } from '../support/server.js'
import { environment, migrate } from './stage.js'
import { requestsOf, type BookingRequest } from './workload.js'

const SIZES = [10_000, 100_000, 1_000_000]
const CAR_SIZES = [10, 1_000, 8_760]
const STUCK = 1000
const IN_FLIGHT = 64
const LISTINGS = 200
/** A million users with their bookings: on the embedded server's quarter of a gigabyte the disk would be measured. */
const CACHE_GB = 4

/** How the product does as its books grow, on a server of its own. */
export async function measureGrowth(directory: string, seconds: number): Promise<Growth> {
  const server = await startServer(1, CACHE_GB)
  const client = await new mongoose.mongo.MongoClient(server.uri('admin')).connect()
  const growth: Growth = { sizes: [], cars: [], anomalies: [] }
  try {
    await measureSizes(server, client.db('growth'), join(directory, 'growth.log'), seconds, growth)
    await measureCars(server, client.db('cars'), join(directory, 'cars.log'), growth)
    return growth
  } finally {
    await client.close()
    await server.stop()
  }
}

async function measureSizes(server: Server, db: mongo.Db, logFile: string, seconds: number, growth: Growth) {
  const uri = server.uri(db.databaseName)
  await migrate(uri)
  await refill(db)
  const arm = await inProcessArm(environment(uri), logFile)
  try {
    // Code that is warm for the first size as well.
    await book(arm, requestsOf('uniform', 1), 2)
    let expected = (await storedTotals(db)).committed
    for (const stored of SIZES) {
      expected += await growTo(db, stored)
      const source = requestsOf('uniform', stored, { users: stored, firstHour: 10_000 + 10_000 * growth.sizes.length })
      const tally = await book(arm, source, seconds)
      expected += tally.acknowledged
      const lists = {
        listBookingsP50: await p50Of(arm, 'listBookings'),
        listUsersP50: await p50Of(arm, 'listUsers'),
        listCarsP50: await p50Of(arm, 'listCars'),
      }
      const recovery = await measureRecovery(arm, db, stored)
      expected += STUCK
      const size: GrowthSize = {
        stored,
        bookingsPerSecond: tally.accepted / tally.seconds,
        bookingP50: tally.p50,
        ...lists,
        recovery,
      }
      growth.sizes.push(size)
      console.log(JSON.stringify(size))
      const totals = await storedTotals(db)
      if (totals.committed !== expected) growth.anomalies.push(`${totals.committed} committed, not ${expected}`)
      if (totals.missing !== 0) growth.anomalies.push(`${totals.missing} minor units are missing`)
    }
  } finally {
    await arm.close()
  }
}

const book = (arm: Arm, source: ReturnType<typeof requestsOf>, seconds: number) =>
  closedLoop<BookingRequest>({
    inFlight: IN_FLIGHT,
    next: source.next,
    send: arm.book,
    done: source.done,
    warmUpMs: 1000,
    measureMs: seconds * 1000,
    onWindow: () => Promise.resolve(),
  })

const p50Of = async (arm: Arm, operation: 'listBookings' | 'listUsers' | 'listCars'): Promise<number> =>
  (await runAll(Array.from({ length: LISTINGS }), 1, () => arm.ask(operation, {}))).p50

async function measureRecovery(arm: Arm, db: mongo.Db, users: number): Promise<GrowthSize['recovery']> {
  await insertStuckBookings(db, STUCK, users)
  const examinedBefore = await documentsExamined(db)
  const startedAt = performance.now()
  for (let left = STUCK; left > 0;) {
    const { examined, committed } = (await arm.ask('recoverBookings', {})) as { examined: number; committed: number }
    if (examined === 0) throw new Error(`${left} stuck bookings were not found`)
    left -= committed
  }
  return {
    stuck: STUCK,
    seconds: (performance.now() - startedAt) / 1000,
    documentsExamined: (await documentsExamined(db)) - examinedBefore,
  }
}

async function documentsExamined(db: mongo.Db): Promise<number> {
  const status = await db.admin().command({ serverStatus: 1 })
  return Number((status['metrics'] as { queryExecutor: { scannedObjects: number } }).queryExecutor.scannedObjects)
}

async function measureCars(server: Server, db: mongo.Db, logFile: string, growth: Growth) {
  const uri = server.uri(db.databaseName)
  await migrate(uri)
  await refill(db)
  const arm = await inProcessArm(environment(uri), logFile)
  try {
    const warmUp = requestsOf('uniform', 1)
    await book(arm, warmUp, 2)
    for (const activeBookings of CAR_SIZES) {
      await refill(db)
      const documentBytes = await insertLongBookedCar(db, activeBookings)
      const source = requestsOf('hot', 1, { firstHour: activeBookings })
      const take = (count: number) => Array.from({ length: count }, () => source.next() as BookingRequest)
      const alone = await runAll(take(100), 1, arm.book)
      const together = await runAll(take(400), IN_FLIGHT, arm.book)
      growth.cars.push({ activeBookings, documentBytes, p50: alone.p50, bookingsPerSecond: together.perSecond })
      console.log(JSON.stringify(growth.cars.at(-1)))
      growth.anomalies.push(...(await arm.audit()))
    }
  } finally {
    await arm.close()
  }
}
