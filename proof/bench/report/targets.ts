import type { ArmNumber } from '../arms/arm.js'
import type { Sample } from '../measure.js'
import type { Results } from '../results.js'
import type { Workload } from '../workload.js'
import type { Table } from '../../support/markdown.js'
import { summarize, totals, type Summary } from './tables.js'

/** What the product means to reach: ratios within one run, and what a machine of this size gives it. */
interface Target {
  what: string
  /** `least`: the figure must not be under the bound; `most`: not over it. */
  kind: 'least' | 'most'
  unit: Unit
  bound: number
  aim: number
  /** undefined where the run did not measure it. */
  measured: number | undefined
  /** Of each round, where it was measured in rounds. */
  rounds?: number[]
}

type Unit = keyof typeof UNITS
const UNITS = {
  x: (value: number): string => `${value.toFixed(2)} x`,
  ms: (value: number): string => `${value.toFixed(0)} ms`,
  '% of a core': (value: number): string => `${value.toFixed(1)} % of a core`,
  MB: (value: number): string => `${value.toFixed(0)} MB`,
}

/** Every target that the run has figures for: what was reached, and by how much it was missed. */
export function targetTable(results: Results): Table {
  const known = [...byRound(results.samples), ...others(results)].filter(({ measured }) => measured !== undefined)
  return [
    ['target', 'bound', 'aim', 'measured', 'by round', ''],
    ...known.map((target) => {
      const { what, kind, unit, bound, aim, measured = 0, rounds = [] } = target
      const show = UNITS[unit]
      const word = kind === 'least' ? 'at least' : 'at most'
      return [
        ...[what, `${word} ${show(bound)}`, show(aim), show(measured)],
        ...[
          rounds.length > 1 ? rounds.map((each) => each.toFixed(unit === 'x' ? 2 : 0)).join(', ') : '',
          verdict(target),
        ],
      ]
    }),
  ]
}

/** Reached is what the medians reach, and most of the rounds too. */
function verdict({ kind, bound, aim, measured = 0, rounds = [] }: Target): string {
  const missed = (limit: number, value: number): boolean => (kind === 'least' ? value < limit : value > limit)
  const missedIn = (limit: number): number => rounds.filter((value) => missed(limit, value)).length
  const reaches = (limit: number): boolean => !missed(limit, measured) && missedIn(limit) <= rounds.length / 2
  if (reaches(aim)) return 'aim reached'
  if (reaches(bound)) return 'reached'
  if (missed(bound, measured)) return `missed by ${Math.round(100 * Math.abs(measured / bound - 1))} %`
  return `missed in ${missedIn(bound)} of ${rounds.length} rounds`
}

type Bound = [what: string, bound: number, aim: number, measured: number | undefined, unit?: Unit]
const least = (...[what, bound, aim, measured, unit = 'x']: Bound): Target => ({
  ...{ what, kind: 'least', unit, bound, aim, measured },
})
const most = (...[what, bound, aim, measured, unit = 'x']: Bound): Target => ({
  ...{ what, kind: 'most', unit, bound, aim, measured },
})

function byRound(samples: Sample[]): Target[] {
  const seeds = [...new Set(samples.map(({ seed }) => seed))]
  const rounds = seeds.map((seed) => ofBookings(samples.filter((sample) => sample.seed === seed)))
  return ofBookings(samples).map((target, i) => ({
    ...target,
    rounds: rounds.flatMap((targets) => targets[i]?.measured ?? []),
  }))
}

function ofBookings(samples: Sample[]): Target[] {
  const all = summarize(samples)
  const at = (arm: ArmNumber, workload: Workload, inFlight: number): Summary | undefined =>
    all.find((s) => s.arm === arm && s.workload === workload && s.inFlight === inFlight)
  const rate = (one: ArmNumber, other: ArmNumber, workload: Workload, inFlight: number) =>
    over(at(one, workload, inFlight)?.bookingsPerSecond, at(other, workload, inFlight)?.bookingsPerSecond)
  const alone = (one: ArmNumber, other: ArmNumber) => over(at(one, 'uniform', 1)?.p50, at(other, 'uniform', 1)?.p50)
  const spread = (arm: ArmNumber) => over(at(arm, 'uniform', 64)?.p99, at(arm, 'uniform', 64)?.p50)
  const toSocket = (inFlight: number) => at(4, 'uniform', inFlight)?.toSocket?.p50

  return [
    least('`npm start` against the MongoDB transaction: uniform, 64 in flight', 1.5, 2.5, rate(4, 5, 'uniform', 64)),
    least('one hot car, 64 in flight', 10, 15, rate(4, 5, 'hot', 64)),
    least('uniform, 256 in flight', 2, 2, rate(4, 5, 'uniform', 256)),
    most('latency, 1 in flight', 3, 2, alone(4, 5)),
    most('p99 against p50, 64 in flight', 3, 3, spread(4)),
    most('from commit to the socket of a user, p50, 1 in flight', 20, 20, toSocket(1), 'ms'),
    most('64 in flight', 100, 100, toSocket(64), 'ms'),
    least('in process, against the transaction: uniform, 64 in flight', 1.3, 2, rate(3, 1, 'uniform', 64)),
    least('Zipf(1.0), 64 in flight', 1.3, 2, rate(3, 1, 'zipf1', 64)),
    least('uniform, 256 in flight', 1.6, 2.5, rate(3, 1, 'uniform', 256)),
    least('one hot car, 64 in flight', 10, 20, rate(3, 1, 'hot', 64)),
    most('latency, 1 in flight', 3, 2, alone(3, 1)),
    most('p99 against p50, in process, 64 in flight', 3, 3, spread(3)),
  ]
}

function others({ reads, idle, instances, growth }: Results): Target[] {
  const [smallest] = growth?.sizes ?? []
  const largest = growth?.sizes.at(-1)
  const read = (what: string) => reads.find((each) => each.what.startsWith(what))?.perSecond
  const withInstances = (count: number) => instances.find((each) => each.instances === count)?.bookingsPerSecond
  const rest = idle.length > 0 ? totals(idle) : undefined

  return [
    least('four instances of functions against one, 64 in flight', 0.9, 0.9, over(withInstances(4), withInstances(1))),
    most('at rest, all processes together', 4, 2, rest && 100 * rest.cpu, '% of a core'),
    most('their memory', 600, 600, rest?.residentMb, 'MB'),
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
