import test from 'ava'
import { ATTACKS } from '../../../proof/siege/attacks/all.js'
import { alsoUnasked, judge, LIMITS, Seen, typical, type Row } from '../../../proof/siege/verdict.js'

const seenOf = (...waitsMs: number[]): Seen => {
  const seen = new Seen()
  for (const each of waitsMs) seen.note(each, 'ok')
  return seen
}

test('a while: requests and failures are counted, waits by their share', (t) => {
  const seen = seenOf(...Array.from({ length: 98 }, () => 10), 40)
  seen.note(20, 'getCar: unavailable')
  seen.note(20, 'getCar: unavailable')
  t.deepEqual(seen.experience(), { requests: 101, failed: { 'getCar: unavailable': 2 }, p50Ms: 10, p99Ms: 20 })
  t.deepEqual(new Seen().experience(), { requests: 0, failed: {}, p50Ms: 0, p99Ms: 0 })
})

test('what is typical without an attack, though one of three whiles still felt one', (t) => {
  const quiet = [seenOf(10, 20), seenOf(500, 900), seenOf(12, 22)].map((each) => each.experience())
  t.deepEqual(typical(quiet), { requests: 6, failed: {}, p50Ms: 12, p99Ms: 22 })
})

test('whoever waits long would have met the wait again and again', (t) => {
  t.deepEqual(alsoUnasked(80), [80])
  t.deepEqual(alsoUnasked(100), [100])
  t.deepEqual(alsoUnasked(350), [350, 250, 150, 50])
  // Four clients that wait ten seconds once are less than a hundredth of a thousand requests, but most of their time.
  const waits = [...Array.from({ length: 996 }, () => 10), 10_000, 10_000, 10_000, 10_000]
  const { p50Ms, p99Ms } = seenOf(...waits).experience()
  t.is(p50Ms, 10)
  t.true(p99Ms > 9000, String(p99Ms))
})

const row: Row = {
  attack: 'a',
  what: '',
  without: { requests: 500, failed: {}, p50Ms: 10, p99Ms: 20 },
  with: { requests: 500, failed: {}, p50Ms: 12, p99Ms: 99 },
  outcomes: { rate_limited: 1000 },
  breaches: [],
  ended: [],
  largestMb: 200,
  diskMb: 1,
  logMb: 1,
}

test('an attack that is borne', (t) => {
  t.deepEqual(judge(row, 10), [])
  t.deepEqual(judge({ ...row, with: { ...row.with, failed: { x: 5 } } }, 10), [], 'a failure in a hundred')
})

for (const [name, change, says] of [
  ['slow', { with: { ...row.with, p99Ms: 100 } }, /honest p99 100 ms is 5.0 x/],
  ['failing', { with: { ...row.with, failed: { x: 6 } } }, /6 of 500 honest requests failed: x/],
  ['silent', { with: { requests: 0, failed: {}, p50Ms: 0, p99Ms: 0 } }, /no honest request was made during/],
  ['nothing to compare with', { without: { requests: 0, failed: {}, p50Ms: 0, p99Ms: 0 } }, /nothing to compare/],
  ['a process ended', { ended: ['gateway-1'] }, /ended: gateway-1/],
  ['memory', { largestMb: LIMITS.processMb + 1 }, /a process took 701 MB/],
  ['disk', { diskMb: LIMITS.diskMbASecond * 10 + 1 }, /the data grew by 81 MB in 10 s/],
  ['logs', { logMb: LIMITS.logMb + 1 }, /201 MB of logs/],
  ['a breach, told once', { breaches: ['a secret', 'a secret'] }, /^a: a secret$/],
] as [string, Partial<Row>, RegExp][]) {
  test(`an attack that succeeds: ${name}`, (t) => {
    const said = judge({ ...row, ...change }, 10)
    t.is(said.length, 1)
    t.regex(said[0] ?? '', says)
  })
}

test('attacks have names for the command line, and say what they do', (t) => {
  t.true(Object.keys(ATTACKS).length >= 30)
  for (const [name, { what }] of Object.entries(ATTACKS)) {
    t.regex(name, /^[a-z0-9]+(-[a-z0-9]+)*$/)
    t.true(what.length > 10)
  }
})
