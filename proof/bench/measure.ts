import type { Arm, ArmNumber } from './arms/arm.js'
import type { Books } from './books.js'
import { cpuSecondsOf, subtract } from './counters.js'
import { closedLoop, openLoop, type Tally } from './load.js'
import { percentile } from '../support/numbers.js'
import { until } from '../support/until.js'
import { requestsOf, type Workload } from './workload.js'

/** What to measure, once. */
export interface Cell {
  workload: Workload
  /** So many at a time, or so many a second. */
  pace: { inFlight: number } | { perSecond: number }
  /** Of the requests; every arm gets the same. Each round has one of its own. */
  seed: number
  seconds: number
  warmUpSeconds: number
}

/** One arm's run of a cell. */
export interface Sample extends Tally {
  arm: ArmNumber
  seed: number
  workload: Workload
  inFlight: number | null
  perSecond: number | null
  bookingsPerSecond: number
  /** CPU seconds a second within the window: 1 is a core. `load` is this process, with the product where that is in it. */
  cpu: { database: number; product: number; load: number }
  /** By the database's own counters, a booking. */
  writesPerBooking: number
  roundTripsPerBooking: number
  journalSyncsPerBooking: number
  /** Ms from a booking's commit to its user's socket; null: nobody is told. */
  toSocket: ToSocket | null
  anomalies: string[]
}

export interface ToSocket {
  heard: number
  /** Acknowledged bookings of the whole run that nobody was told of, long after the last. */
  missing: number
  p50: number
  p99: number
}

const HEARD_WITHIN_MS = 10_000

/** Fills the arm's books afresh, puts the load on, audits them. */
export async function measure(arm: Arm, books: Books, cell: Cell): Promise<Sample> {
  await books.refill()
  arm.news?.clear()
  const source = requestsOf(cell.workload, cell.seed)
  const pids = { database: books.pids(), product: arm.productPids(), load: [process.pid] }
  const read = async () => ({
    database: await books.counters(),
    cpu: {
      database: cpuSecondsOf(pids.database),
      product: cpuSecondsOf(pids.product),
      load: cpuSecondsOf(pids.load),
    },
  })
  const edges: Awaited<ReturnType<typeof read>>[] = []
  let heard: number[] | undefined
  const load = {
    next: source.next,
    send: arm.book,
    done: source.done,
    warmUpMs: cell.warmUpSeconds * 1000,
    measureMs: cell.seconds * 1000,
    onWindow: async () => {
      heard = arm.news?.take()
      edges.push(await read())
    },
  }
  const { pace } = cell
  const tally =
    'inFlight' in pace
      ? await closedLoop({ ...load, inFlight: pace.inFlight })
      : await openLoop({ ...load, perSecond: pace.perSecond })

  const [begin, end] = edges as [(typeof edges)[0], (typeof edges)[0]]
  const counted = subtract(end.database, begin.database)
  const cpu = subtract(end.cpu, begin.cpu)
  const { accepted, seconds } = tally
  const missing = await missingNews(arm, tally)
  const anomalies = [...(await books.audit(tally)), ...(await arm.audit())]
  return {
    arm: arm.number,
    seed: cell.seed,
    workload: cell.workload,
    inFlight: 'inFlight' in pace ? pace.inFlight : null,
    perSecond: 'perSecond' in pace ? pace.perSecond : null,
    ...tally,
    bookingsPerSecond: accepted / seconds,
    cpu: { database: cpu.database / seconds, product: cpu.product / seconds, load: cpu.load / seconds },
    writesPerBooking: counted.writes / accepted,
    roundTripsPerBooking: counted.roundTrips / accepted,
    journalSyncsPerBooking: counted.journalSyncs / accepted,
    toSocket: heard ? { missing, ...spread(heard) } : null,
    anomalies,
  }
}

/** Whoever's booking was acknowledged is told of it, too, before long. */
async function missingNews({ news }: Arm, { acknowledged }: Tally): Promise<number> {
  if (!news) return 0
  const missing = (): number => Math.max(0, acknowledged - news.bookings())
  await until(() => missing() === 0, { timeoutMs: HEARD_WITHIN_MS }).catch(() => {})
  return missing()
}

function spread(values: number[]): Omit<ToSocket, 'missing'> {
  const sorted = Float64Array.from(values).sort()
  return { heard: sorted.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
}
