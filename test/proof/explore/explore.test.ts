import test from 'ava'
import { CASES } from '../../../proof/explore/cases.js'
import { Exploring, type ExploreOptions } from '../../../proof/explore/explore.js'
import { rulesOfMigrations } from '../../../proof/explore/rules.js'
import type { Case } from '../../../proof/explore/theatre.js'
import type { Fault } from '../../../proof/explore/world.js'

/** Small enough for every change; `npm run explore` goes through all cases with all faults. */
const EXPLORED: { name: string; faults: Fault[]; oneSet?: boolean }[] = [
  { name: 'owner-recovery', faults: [] },
  { name: 'owner-recovery-poor', faults: [] },
  { name: 'owner-recovery-busy', faults: [] },
  { name: 'owner-cancel', faults: [] },
  { name: 'owner-cancel-poor', faults: [] },
  { name: 'left-step-cancel', faults: [] },
  { name: 'two-recoveries-poor', faults: [] },
  { name: 'two-reversals', faults: [] },
  { name: 'left-recovery-cancel', faults: [] },
  { name: 'frozen-attempt', faults: [] },
  { name: 'frozen-attempt-poor', faults: [] },
  // Recovery that itself fails, and is due again.
  { name: 'owner-recovery-poor', faults: ['late'] },
  { name: 'reversal-late-apply', faults: ['crash', 'late', 'shared'] },
  { name: 'two-bookings', faults: ['crash', 'late', 'shared'] },
  { name: 'hot-car', faults: ['crash', 'late'] },
  { name: 'hot-room', faults: [] },
  { name: 'last-room', faults: ['crash', 'late'] },
  { name: 'reversal-late-apply', faults: ['failover'], oneSet: true },
  { name: 'two-refunds', faults: ['crash', 'late'] },
  { name: 'two-refunds-poor', faults: [] },
  { name: 'refund-sent-twice', faults: ['late'] },
  { name: 'refund-recovery', faults: ['crash', 'late'] },
  { name: 'failed-refund-retried', faults: ['crash', 'late'] },
  { name: 'failed-refund-to-balance', faults: [] },
  { name: 'cancel-both', faults: ['crash'] },
  { name: 'cancel-all', faults: [] },
  { name: 'cancel-recovery', faults: [] },
  { name: 'cancel-poor', faults: [] },
  { name: 'cancel-poor-recovery', faults: [] },
]

const explore = async (name: string, options: Partial<ExploreOptions>) =>
  new Exploring(CASES.find((each) => each.name === name) as Case, {
    rules: await rulesOfMigrations(),
    faults: [],
    maxFaults: 1,
    ...options,
  })

for (const { name, faults, oneSet } of EXPLORED) {
  test(`every interleaving: ${[name, ...faults].join(' + ')}${oneSet ? ' on one replica set' : ''}`, async (t) => {
    const exploring = await explore(name, { faults, ...(oneSet && { oneSet }) })
    const { violation, complete, ...found } = await exploring.explore()
    t.is(violation, undefined)
    t.true(complete)
    t.log(`${found.states} states, ${found.schedules.toPrecision(3)} schedules, ${found.outcomes.size} outcomes`)
    for (const [outcome, times] of found.outcomes) t.log(`${times} ${outcome}`)
  })
}

test('a schedule replays by the number of its state', async (t) => {
  const schedule = await (await explore('two-bookings', {})).scheduleOf(500)
  t.truthy(schedule)
  const lines: string[] = []
  t.is(await (await explore('two-bookings', {})).replay(schedule as string, (line) => lines.push(line)), undefined)
  t.true(lines.some((line) => line.includes('lands insert')))
})
