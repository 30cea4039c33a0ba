import test from 'ava'
import { FAULT_NAMES, planFaults, type FaultName } from '../../../proof/chaos/schedule.js'

const MINUTE_MS = 60_000
const plan = (options: Partial<Parameters<typeof planFaults>[0]> = {}) =>
  planFaults({ seed: 1, forMs: 10 * MINUTE_MS, stuckAfterMs: 6000, faults: FAULT_NAMES, ...options })

test('the seed decides what comes when', (t) => {
  t.deepEqual(plan(), plan())
  t.notDeepEqual(plan(), plan({ seed: 2 }))
})

test('every fault comes, in the order of time, and none is cut short by the end', (t) => {
  const faults = plan({ forMs: 60 * MINUTE_MS })
  t.deepEqual([...new Set(faults.map(({ fault }) => fault))].sort(), [...FAULT_NAMES].sort())
  t.deepEqual(
    faults,
    [...faults].sort((a, b) => a.atMs - b.atMs),
  )
  t.true(faults.every(({ atMs, durationMs }) => atMs + durationMs <= 60 * MINUTE_MS))
})

test('pauses outlast stuck-after', (t) => {
  const pauses = plan({ stuckAfterMs: 7000 }).filter(({ fault }) => fault === 'pause' || fault === 'pausePrimary')
  t.true(pauses.length > 0)
  t.true(pauses.every(({ durationMs }) => durationMs > 7000))
})

test('only the wanted faults come, and the others do not change when', (t) => {
  const wanted: FaultName[] = ['kill', 'reset']
  const only = plan({ faults: wanted })
  t.deepEqual([...new Set(only.map(({ fault }) => fault))].sort(), wanted)
  const kills = (faults: ReturnType<typeof plan>) => faults.filter(({ fault }) => fault === 'kill')
  t.deepEqual(kills(only), kills(plan()))
})
