import { ARMS, type ArmNumber } from '../arms/arm.js'
import type { Sample } from '../measure.js'
import type { Table } from '../../support/markdown.js'
import { median } from '../../support/numbers.js'
import type { IdleApp, Results } from '../results.js'

/** The samples of one arm at one workload and pace, over all rounds: the median of each figure. */
export interface Summary extends Omit<Sample, 'anomalies'> {
  anomalies: number
}

export function summarize(samples: Sample[]): Summary[] {
  const groups = new Map<string, Sample[]>()
  for (const sample of samples) {
    const key = [sample.workload, sample.inFlight, sample.perSecond, sample.arm].join()
    groups.set(key, [...(groups.get(key) ?? []), sample])
  }
  return [...groups.values()].map((group) => {
    const [first] = group as [Sample]
    const of = (figure: (sample: Sample) => number) => median(group.map(figure))
    const total = (figure: (sample: Sample) => number) => group.reduce((sum, sample) => sum + figure(sample), 0)
    return {
      ...first,
      bookingsPerSecond: of((s) => s.bookingsPerSecond),
      p50: of((s) => s.p50),
      p95: of((s) => s.p95),
      p99: of((s) => s.p99),
      cpu: { database: of((s) => s.cpu.database), product: of((s) => s.cpu.product), load: of((s) => s.cpu.load) },
      writesPerBooking: of((s) => s.writesPerBooking),
      roundTripsPerBooking: of((s) => s.roundTripsPerBooking),
      journalSyncsPerBooking: of((s) => s.journalSyncsPerBooking),
      offered: total((s) => s.offered),
      accepted: total((s) => s.accepted),
      refused: total((s) => s.refused),
      failed: total((s) => s.failed),
      toSocket: first.toSocket && {
        heard: total((s) => s.toSocket?.heard ?? 0),
        missing: total((s) => s.toSocket?.missing ?? 0),
        p50: of((s) => s.toSocket?.p50 ?? 0),
        p99: of((s) => s.toSocket?.p99 ?? 0),
      },
      anomalies: total((s) => s.anomalies.length),
    }
  })
}

/** The arm that one is measured by: in process the transaction, end to end the transaction behind socket.io. */
const RIVALS: Record<ArmNumber, ArmNumber> = { 1: 1, 2: 1, 3: 1, 4: 5, 5: 5, 6: 5, 7: 5, 8: 5 }

export function rivalOf(summary: Summary, all: Summary[]): Summary | undefined {
  return all.find(
    ({ arm, workload, inFlight, perSecond }) =>
      arm === RIVALS[summary.arm] &&
      workload === summary.workload &&
      inFlight === summary.inFlight &&
      perSecond === summary.perSecond,
  )
}

const digits = (value: number, count: number): string => (Number.isFinite(value) ? value.toFixed(count) : '-')
const ratio = (value: number): string => `${digits(value, 2)} x`

/** Every arm at every workload and pace. */
export function comparison({ samples, ceilings }: Results): Table {
  const all = summarize(samples)
  const order = [...all].sort(
    (a, b) =>
      Number(a.inFlight === null) - Number(b.inFlight === null) ||
      samples.findIndex((s) => s.workload === a.workload) - samples.findIndex((s) => s.workload === b.workload) ||
      (a.inFlight ?? 0) - (b.inFlight ?? 0) ||
      a.arm - b.arm,
  )
  return [
    [
      ...['workload', 'in flight', 'arm', 'bookings/s', 'against', 'p50 ms', 'p95', 'p99'],
      ...['CPU database', 'product', 'load', 'writes', 'round trips', 'journal syncs', 'efficiency'],
      ...['offered', 'accepted', 'refused', 'failed', 'anomalies'],
    ],
    ...order.map((s) => {
      const rival = rivalOf(s, all)
      const ceiling = ceilings.find(({ inFlight }) => inFlight === s.inFlight)
      return [
        s.workload,
        s.inFlight === null ? `${s.perSecond}/s` : String(s.inFlight),
        String(s.arm),
        digits(s.bookingsPerSecond, 0),
        rival && rival.arm !== s.arm ? `${ratio(s.bookingsPerSecond / rival.bookingsPerSecond)} arm ${rival.arm}` : '',
        digits(s.p50, 1),
        digits(s.p95, 1),
        digits(s.p99, 1),
        digits(s.cpu.database, 2),
        s.cpu.product > 0 ? digits(s.cpu.product, 2) : 'in load',
        digits(s.cpu.load, 2),
        digits(s.writesPerBooking, 2),
        digits(s.roundTripsPerBooking, 2),
        digits(s.journalSyncsPerBooking, 2),
        ceiling ? digits((s.bookingsPerSecond * s.writesPerBooking) / ceiling.writesPerSecond, 2) : '',
        String(s.offered),
        String(s.accepted),
        String(s.refused),
        String(s.failed),
        String(s.anomalies),
      ]
    }),
  ]
}

export const ceilingTable = ({ ceilings }: Results): Table => [
  ['in flight', 'single durable inserts/s'],
  ...ceilings.map(({ inFlight, writesPerSecond }) => [String(inFlight), digits(writesPerSecond, 0)]),
]

/** Whom the run compared, and who could not be had. */
export const armTable = ({ options, skipped }: Results): Table => [
  ['arm', 'what it is', 'in this run'],
  ...Object.entries(ARMS).map(([n, what]) => {
    const missing = skipped.find(({ arm }) => arm === Number(n))
    const asked = options.arms.includes(Number(n) as ArmNumber)
    return [n, what, missing ? `skipped: ${missing.why}` : asked ? 'measured' : 'not asked for']
  }),
]

/** How long users wait to be told of what is committed. */
export const socketTable = ({ samples }: Results): Table => [
  ['workload', 'in flight', 'arm', 'told', 'commit to socket, p50 ms', 'p99 ms', 'not told within 10 s'],
  ...summarize(samples).flatMap(({ workload, inFlight, perSecond, arm, toSocket }) =>
    toSocket
      ? [
          [
            ...[workload, inFlight === null ? `${perSecond}/s` : String(inFlight), String(arm), String(toSocket.heard)],
            ...[digits(toSocket.p50, 0), digits(toSocket.p99, 0), String(toSocket.missing)],
          ],
        ]
      : [],
  ),
]

export const readTable = ({ reads }: Results): Table => {
  const [echo] = reads
  return [
    ['read', 'per second', 'of the echo', 'p50 ms', 'p99 ms'],
    ...reads.map(({ what, perSecond, p50, p99 }) => [
      what,
      digits(perSecond, 0),
      echo ? `${digits((100 * perSecond) / echo.perSecond, 0)} %` : '',
      digits(p50, 2),
      digits(p99, 2),
    ]),
  ]
}

export const idleTable = ({ idle }: Results): Table => [
  ['app', 'processes', 'CPU, % of a core', 'memory, MB'],
  ...idle.map(idleRow),
  idleRow({ app: 'all', ...totals(idle) }),
]

const idleRow = ({ app, processes, cpu, residentMb }: IdleApp): string[] => [
  ...[app, String(processes), digits(100 * cpu, 1), String(residentMb)],
]

export const totals = (idle: IdleApp[]): Omit<IdleApp, 'app'> => ({
  processes: idle.reduce((sum, each) => sum + each.processes, 0),
  cpu: idle.reduce((sum, each) => sum + each.cpu, 0),
  residentMb: idle.reduce((sum, each) => sum + each.residentMb, 0),
})

export const sizeTable = ({ growth }: Results): Table => [
  [
    ...['bookings and users', 'bookings/s at 64', 'p50 ms', 'listBookings p50', 'listUsers p50', 'listCars p50'],
    ...['1,000 stuck: recovered in s', 'documents examined'],
  ],
  ...(growth?.sizes ?? []).map((size) => [
    String(size.stored),
    digits(size.bookingsPerSecond, 0),
    digits(size.bookingP50, 1),
    digits(size.listBookingsP50, 2),
    digits(size.listUsersP50, 2),
    digits(size.listCarsP50, 2),
    digits(size.recovery.seconds, 2),
    String(size.recovery.documentsExamined),
  ]),
]

export const carTable = ({ growth }: Results): Table => [
  ['active bookings of the car', 'its document, kB', 'one at a time, p50 ms', '64 in flight, bookings/s'],
  ...(growth?.cars ?? []).map((car) => [
    String(car.activeBookings),
    digits(car.documentBytes / 1024, 0),
    digits(car.p50, 1),
    digits(car.bookingsPerSecond, 0),
  ]),
]

export const instanceTable = ({ instances }: Results): Table => [
  [
    ...['instances of functions', 'bookings/s at 64', 'p50 ms', 'p99 ms'],
    ...['database, CPU ms a booking', 'product', 'round trips a booking'],
  ],
  ...instances.map((each) => [
    String(each.instances),
    digits(each.bookingsPerSecond, 0),
    digits(each.p50, 1),
    digits(each.p99, 1),
    digits(each.databaseMs, 2),
    digits(each.productMs, 2),
    digits(each.roundTripsPerBooking, 2),
  ]),
]

function toText(table: Table): string {
  const widths = (table[0] ?? []).map((_, i) => Math.max(...table.map((row) => (row[i] ?? '').length)))
  return table.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')).join('\n')
}

export function printSummary(results: Results): void {
  const tables: [Table, boolean][] = [
    [comparison(results), results.samples.length > 0],
    [socketTable(results), results.samples.some(({ toSocket }) => toSocket !== null)],
    [readTable(results), results.reads.length > 0],
    [idleTable(results), results.idle.length > 0],
    [sizeTable(results), results.growth !== null],
    [carTable(results), results.growth !== null],
    [instanceTable(results), results.instances.length > 0],
  ]
  for (const [table, present] of tables) if (present) console.log(`\n${toText(table)}`)
}
