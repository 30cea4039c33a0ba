import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { choose, type Candidate } from '../../../platform/calls/choice.js'

const SHARE = 128
const idle = (id: string): Candidate => ({ id, underWay: 0 })
/** As many as there are are in use. */
const busy = (id: string): Candidate => ({ id, underWay: SHARE })

const ids = (least: number) => fc.uniqueArray(fc.uuid(), { minLength: least, maxLength: 8 })
const calls = (most: number) => fc.array(fc.nat(most), { minLength: 8, maxLength: 8 })
const placesOf = (candidates: Candidate[], count: number): string[] =>
  Array.from({ length: count }, (_, i) => choose(candidates, `key ${i}`, 0)?.id as string)
const countOf = (places: string[], id: string): number => places.filter((place) => place === id).length

testProp('keys are spread evenly over what is in use', [ids(2)], (t, hosts) => {
  const places = placesOf(hosts.map(busy), 500 * hosts.length)
  for (const host of hosts) {
    const count = countOf(places, host)
    t.true(count > 375 && count < 625, `${count} of 500`)
  }
})

testProp(
  'what dies moves its own keys alone, what comes takes keys and moves none between others',
  [ids(3)],
  (t, hosts) => {
    const one = hosts[0] as string
    const withIt = placesOf(hosts.map(busy), 200)
    const without = placesOf(hosts.slice(1).map(busy), 200)
    withIt.forEach((place, i) => (place === one ? t.not(without[i], one) : t.is(without[i], place)))
  },
)

testProp(
  'every caller chooses the same, in whatever order it met them',
  [ids(1), fc.uuid(), fc.nat()],
  (t, hosts, key, turn) => {
    for (const candidate of [idle, busy]) {
      const candidates = hosts.map(candidate)
      t.is(choose(candidates.toReversed(), key, turn)?.id, choose(candidates, key, 0)?.id)
    }
  },
)

testProp(
  'all keys meet in one process until that has its share, then the next one is used too',
  [ids(2), fc.nat(SHARE - 1)],
  (t, hosts, underWay) => {
    const [first] = placesOf(hosts.map(idle), 1)
    const having = (count: number) => hosts.map((id) => ({ id, underWay: id === first ? count : 0 }))
    t.is(countOf(placesOf(having(underWay), 100), first as string), 100)
    const next = new Set(placesOf(having(SHARE), 100))
    t.is(next.size, 1, 'until that has as many')
    const both = hosts.map((id) => ({ id, underWay: id === first || next.has(id) ? SHARE / 2 : 0 }))
    t.deepEqual([...new Set(placesOf(both, 100))].sort(), [first, ...next].sort())
  },
)

testProp(
  'those in use stay so as the calls grow',
  [ids(2), calls(2 * SHARE), fc.nat(SHARE)],
  (t, hosts, counts, more) => {
    const candidates = hosts.map((id, i) => ({ id, underWay: counts[i] as number }))
    const chosen = new Set(placesOf(candidates, 200))
    const total = candidates.reduce((sum, { underWay }) => sum + underWay, 0)
    t.true(chosen.size <= Math.ceil((total + 1) / SHARE))
    // With no bound in the way: each has as many as any other.
    const even = (each: number) =>
      new Set(
        placesOf(
          hosts.map((id) => ({ id, underWay: each })),
          400,
        ),
      )
    const [before, after] = [even(more), even(more + 20)]
    t.true([...before].every((id) => after.has(id)))
  },
)

testProp(
  'no process is further above the average than the bound, whatever everybody wants',
  [ids(2), fc.array(fc.boolean(), { minLength: 200, maxLength: 200 })],
  (t, hosts, hot) => {
    const candidates = hosts.map(busy)
    hot.forEach((isHot, i) => {
      const chosen = choose(candidates, isHot ? 'hot' : `key ${i}`, i) as Candidate
      chosen.underWay++
      t.true(chosen.underWay <= Math.ceil(1.25 * (SHARE + (i + 1) / hosts.length)))
    })
  },
)

testProp('there is always one to choose', [ids(1), calls(1000), fc.uuid()], (t, hosts, counts, key) => {
  const candidates = hosts.map((id, i) => ({ id, underWay: counts[i] as number }))
  t.true(hosts.includes(choose(candidates, key, 0)?.id as string))
})

testProp(
  'what has no key goes where the fewest are under way',
  [ids(1), calls(50), fc.nat()],
  (t, hosts, counts, turn) => {
    const candidates = hosts.map((id, i) => ({ id, underWay: counts[i] as number }))
    t.is(choose(candidates, undefined, turn)?.underWay, Math.min(...candidates.map(({ underWay }) => underWay)))
  },
)

test('without a key equals have their turns; where there is nobody, nobody is chosen', (t) => {
  const candidates = ['a', 'b', 'c'].map(idle)
  t.deepEqual(
    [0, 1, 2, 3].map((turn) => choose(candidates, undefined, turn)?.id),
    ['a', 'b', 'c', 'a'],
  )
  t.is(choose([], undefined, 5), undefined)
  t.is(choose([], 'key', 5), undefined)
})
