import { freeOf, type Filter, type GuardedUpdate, type Period } from './store.js'

/** Of updates of one shape, groups of one document whose periods don't overlap; every other one is a group of its own. */
export function together(updates: readonly GuardedUpdate[]): GuardedUpdate[][] {
  const groups: GuardedUpdate[][] = []
  const ofDocument = new Map<string, GuardedUpdate[]>()
  for (const update of updates) {
    const key = String(update.id)
    const group = ofDocument.get(key)
    if (update.free && group?.every((each) => !overlap(periodOf(each), periodOf(update)))) {
      group.push(update)
      continue
    }
    const own = [update]
    groups.push(own)
    if (update.free && !group) ofDocument.set(key, own)
  }
  return groups
}

const periodOf = ({ free }: GuardedUpdate): Period => (free as { period: Period }).period
const overlap = (a: Period, b: Period): boolean => a.from < b.to && b.from < a.to

/** Periods that touch are one: an element overlaps it exactly where it overlaps one of them. */
function runsOf(periods: readonly Period[]): Period[] {
  const runs: Period[] = []
  for (const { from, to } of periods.toSorted((a, b) => +a.from - +b.from)) {
    const last = runs.at(-1)
    if (last && +last.to === +from) last.to = to
    else runs.push({ from, to })
  }
  return runs
}

/** One that matches where all of them would, and does what all of them would do. */
export function asOne(group: GuardedUpdate[]): GuardedUpdate {
  const [first] = group as [GuardedUpdate]
  if (group.length === 1) return first
  const pushed = group.map(({ change }) => change['$push'] ?? {})
  const $push = Object.fromEntries(
    Object.keys(pushed[0] as object).map((field) => [field, { $each: pushed.map((each) => each[field]) }]),
  )
  const array = first.free?.array as string
  return {
    id: first.id,
    guard: { ...guardOfAll(group.map(({ guard }) => guard)), ...freeOf(array, runsOf(group.map(periodOf))) },
    change: { ...first.change, $push },
  }
}

/** What a guard may ask of a field for several to be joined, and how they are. Others, but for values, must be alike. */
const JOINED = {
  $ne: (values: unknown[]): Filter => ({ $nin: values }),
  $lte: (values: unknown[]): Filter => ({ $lte: extreme(values, (a, b) => a < b) }),
  $gte: (values: unknown[]): Filter => ({ $gte: extreme(values, (a, b) => a > b) }),
}
type Joinable = keyof typeof JOINED

/** Of guards of one shape (statements.ts), the one that holds where all of them do; it may ask for more of a document than its own. */
export function guardOfAll(guards: Filter[]): Filter {
  return Object.fromEntries(
    Object.entries(guards[0] as Filter).map(([field, condition]) => {
      const operator = operatorOf(condition)
      if (!operator) return [field, condition]
      return [field, JOINED[operator](guards.map((guard) => (guard[field] as Filter)[operator]))]
    }),
  )
}

/** Undefined: it is none, or none that can be joined. */
export function operatorOf(condition: unknown): Joinable | undefined {
  if (!isPlain(condition)) return undefined
  const [operator, ...others] = Object.keys(condition)
  return others.length === 0 && operator !== undefined && operator in JOINED ? (operator as Joinable) : undefined
}

/** Dates and 64-bit integers, by value. */
const extreme = (values: unknown[], isBetter: (a: number, b: number) => boolean): unknown =>
  values.reduce((best, each) => (isBetter(Number(each), Number(best)) ? each : best))

export const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
