import type { ArmNumber } from '../arms/arm.js'
import type { Results } from '../results.js'
import type { Workload } from '../workload.js'
import type { Table } from '../../support/markdown.js'
import { ratio, summarize, type Summary } from './tables.js'

/** What the product means to reach, as ratios within one run. */
interface Target {
  what: string
  /** `least`: the figure must not be under the bound; `most`: not over it. */
  kind: 'least' | 'most'
  bound: number
  aim: number
  /** undefined where the run did not measure it. */
  measured: number | undefined
}

/** Every target that the run has figures for: what was reached, and by how much it was missed. */
export function targetTable(results: Results): Table {
  const known = targets(results).filter((target) => target.measured !== undefined)
  return [
    ['target', 'bound', 'aim', 'measured', ''],
    ...known.map(({ what, kind, bound, aim, measured = 0 }) => {
      const word = kind === 'least' ? 'at least' : 'at most'
      return [what, `${word} ${ratio(bound)}`, ratio(aim), ratio(measured), verdict(kind, bound, aim, measured)]
    }),
  ]
}

function verdict(kind: Target['kind'], bound: number, aim: number, measured: number): string {
  const reaches = (limit: number): boolean => (kind === 'least' ? measured >= limit : measured <= limit)
  if (reaches(aim)) return 'aim reached'
  if (reaches(bound)) return 'reached'
  return `missed by ${Math.round(100 * Math.abs(measured / bound - 1))} %`
}

function targets(results: Results): Target[] {
  const all = summarize(results.samples)
  const at = (arm: ArmNumber, workload: Workload, inFlight: number): Summary | undefined =>
    all.find((s) => s.arm === arm && s.workload === workload && s.inFlight === inFlight)
  const rate = (one: ArmNumber, other: ArmNumber, workload: Workload, inFlight: number) =>
    over(at(one, workload, inFlight)?.bookingsPerSecond, at(other, workload, inFlight)?.bookingsPerSecond)
  const spread = (arm: ArmNumber) => over(at(arm, 'uniform', 64)?.p99, at(arm, 'uniform', 64)?.p50)
  const [smallest] = results.growth?.sizes ?? []
  const largest = results.growth?.sizes.at(-1)
  const read = (what: string) => results.reads.find((each) => each.what.startsWith(what))?.perSecond
  const least = (what: string, bound: number, aim: number, measured: number | undefined): Target => ({
    ...{ what, kind: 'least', bound, aim, measured },
  })
  const most = (what: string, bound: number, aim: number, measured: number | undefined): Target => ({
    ...{ what, kind: 'most', bound, aim, measured },
  })

  return [
    least('in process, against the transaction: uniform, 64 in flight', 1.3, 2, rate(3, 1, 'uniform', 64)),
    least('Zipf(1.0), 64 in flight', 1.3, 2, rate(3, 1, 'zipf1', 64)),
    least('uniform, 256 in flight', 1.6, 2.5, rate(3, 1, 'uniform', 256)),
    least('one hot car, 64 in flight', 10, 20, rate(3, 1, 'hot', 64)),
    most('latency, 1 in flight', 3, 2, over(at(3, 'uniform', 1)?.p50, at(1, 'uniform', 1)?.p50)),
    least('end to end, against the transaction: uniform, 64 in flight', 1.2, 2, rate(4, 5, 'uniform', 64)),
    least('one hot car, 64 in flight', 8, 15, rate(4, 5, 'hot', 64)),
    most('p99 against p50, in process, 64 in flight', 3, 3, spread(3)),
    most('p99 against p50, end to end, 64 in flight', 3, 3, spread(4)),
    least('getStatus against a bare echo', 0.2, 0.4, over(read('getStatus'), read('echo'))),
    most('10^6 against 10^4 stored: booking', 1.2, 1.2, over(smallest?.bookingsPerSecond, largest?.bookingsPerSecond)),
    most('listBookings, first page', 1.2, 1.2, over(largest?.listBookingsP50, smallest?.listBookingsP50)),
    most('listUsers, first page', 1.2, 1.2, over(largest?.listUsersP50, smallest?.listUsersP50)),
    most(
      'recovery of 1,000: documents examined',
      1.2,
      1.2,
      over(largest?.recovery.documentsExamined, smallest?.recovery.documentsExamined),
    ),
  ]
}

const over = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || !other ? undefined : one / other
