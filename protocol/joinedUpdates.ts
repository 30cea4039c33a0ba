import { freeOf, type Filter, type GuardedUpdate, type Period } from './store.js'

/** Groups of updates of one document whose periods don't overlap; every other update is one of its own. */
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
    guard: { ...allOf(group.map(({ guard }) => guard)), ...freeOf(array, runsOf(group.map(periodOf))) },
    change: { ...first.change, $push },
  }
}

/** What no element may be is asked in one walk through the array. */
function allOf(guards: Filter[]): Filter {
  const [first] = guards as [Filter]
  const isNot = (guard: Filter, field: string): boolean => Object.keys(guard[field] ?? {}).join() === '$ne'
  const fields = Object.keys(first).filter((field) => guards.every((guard) => isNot(guard, field)))
  const not = fields.map((field) => [field, { $nin: guards.map((guard) => (guard[field] as { $ne: unknown }).$ne) }])
  const rest = guards.map((guard) =>
    Object.fromEntries(Object.entries(guard).filter(([field]) => !fields.includes(field))),
  )
  return { ...(Object.fromEntries(not) as Filter), $and: rest }
}
