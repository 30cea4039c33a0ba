import type { Arm, ArmNumber } from './arms/arm.js'
import type { Books } from './books.js'
import { cpuSecondsOf, subtract } from './counters.js'
import { closedLoop, openLoop, type Tally } from './load.js'
import { requestsOf, type Workload } from './workload.js'

/** What to measure, once. */
export interface Cell {
  workload: Workload
  /** So many at a time, or so many a second. */
  pace: { inFlight: number } | { perSecond: number }
  seed: number
  seconds: number
  warmUpSeconds: number
}

/** One arm's run of a cell. */
export interface Sample extends Tally {
  arm: ArmNumber
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
  anomalies: string[]
}

/** Fills the arm's books afresh, puts the load on, audits them. */
export async function measure(arm: Arm, books: Books, cell: Cell): Promise<Sample> {
  await books.refill()
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
  const load = {
    next: source.next,
    send: arm.book,
    done: source.done,
    warmUpMs: cell.warmUpSeconds * 1000,
    measureMs: cell.seconds * 1000,
    onWindow: async () => void edges.push(await read()),
  }
  const { pace } = cell
  const tally =
    'inFlight' in pace
      ? await closedLoop({ ...load, inFlight: cell.workload === 'busy' ? 1 : pace.inFlight })
      : await openLoop({ ...load, perSecond: pace.perSecond })

  const [begin, end] = edges as [(typeof edges)[0], (typeof edges)[0]]
  const counted = subtract(end.database, begin.database)
  const cpu = subtract(end.cpu, begin.cpu)
  const { accepted, seconds } = tally
  const anomalies = [...(await books.audit(tally)), ...(await arm.audit())]
  return {
    arm: arm.number,
    workload: cell.workload,
    inFlight: 'inFlight' in pace ? pace.inFlight : null,
    perSecond: 'perSecond' in pace ? pace.perSecond : null,
    ...tally,
    bookingsPerSecond: accepted / seconds,
    cpu: { database: cpu.database / seconds, product: cpu.product / seconds, load: cpu.load / seconds },
    writesPerBooking: counted.writes / accepted,
    roundTripsPerBooking: counted.roundTrips / accepted,
    journalSyncsPerBooking: counted.journalSyncs / accepted,
    anomalies,
  }
}
