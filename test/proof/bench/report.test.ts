import test from 'ava'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sample } from '../../../proof/bench/measure.js'
import { parseOptions } from '../../../proof/bench/options.js'
import { writeReport } from '../../../proof/bench/report/document.js'
import { plot } from '../../../proof/bench/report/plot.js'
import { picture } from '../../../proof/bench/report/picture.js'
import { armTable, comparison, socketTable, summarize } from '../../../proof/bench/report/tables.js'
import { toMarkdown } from '../../../proof/support/markdown.js'
import { targetTable } from '../../../proof/bench/report/targets.js'
import type { Results } from '../../../proof/bench/results.js'

const sample = (arm: Sample['arm'], bookingsPerSecond: number, more: Partial<Sample> = {}): Sample => ({
  arm,
  seed: 1,
  workload: 'uniform',
  inFlight: 64,
  perSecond: null,
  bookingsPerSecond,
  seconds: 1,
  offered: bookingsPerSecond,
  acknowledged: bookingsPerSecond,
  accepted: bookingsPerSecond,
  refused: 0,
  failed: 0,
  unknown: 0,
  reasons: {},
  p50: 10,
  p95: 20,
  p99: 25,
  cpu: { database: 1, product: 0, load: 0.5 },
  writesPerBooking: 8,
  roundTripsPerBooking: 1,
  journalSyncsPerBooking: 0.1,
  toSocket: null,
  anomalies: [],
  ...more,
})

const results = (samples: Sample[]): Results => ({
  command: 'npm run bench',
  startedAt: '2031-01-01T00:00:00.000Z',
  machine: { cpu: 'a', cores: 2, memoryGb: 8, os: 'b', node: 'c', mongod: 'd', postgres: 'e', loadPerCore: 0 },
  options: parseOptions({}),
  skipped: [],
  ceilings: [{ inFlight: 64, writesPerSecond: 4000 }],
  samples,
  reads: [],
  growth: null,
  instances: [],
  idle: [],
})

test('rounds count by their median, anomalies by their sum', (t) => {
  const rounds = [100, 900, 200].map((rate) => sample(3, rate, { anomalies: rate === 900 ? ['x'] : [] }))
  const [summary] = summarize(rounds)
  t.is(summary?.bookingsPerSecond, 200)
  t.is(summary?.anomalies, 1)
})

test('each arm stands against its rival in the same cell', (t) => {
  const [head = [], ...rows] = comparison(results([sample(1, 100), sample(3, 250), sample(5, 50), sample(4, 100)]))
  const against = Object.fromEntries(
    rows.map((row): [string, unknown] => [String(row[head.indexOf('arm')]), row[head.indexOf('against')]]),
  )
  t.deepEqual(against, { 1: '', 3: '2.50 x arm 1', 4: '2.00 x arm 5', 5: '' })
  // 250 bookings of 8 writes each, of the 4,000 writes that the database can do.
  t.is(rows.find((row) => row[2] === '3')?.[head.indexOf('efficiency')], '0.50')
})

test('a target is told as aimed for, reached, or missed and by how much', (t) => {
  const verdictAt = (rate: number) => targetTable(results([sample(1, 100), sample(3, rate)]))[1]?.at(-1)
  t.is(verdictAt(200), 'aim reached')
  t.is(verdictAt(130), 'reached')
  t.is(verdictAt(117), 'missed by 10 %')
})

test('targets that the run did not measure are left out', (t) => {
  t.deepEqual(
    targetTable(results([sample(3, 100)])).map(([what]) => what),
    ['target', 'p99 against p50, in process, 64 in flight'],
  )
})

test('a target counts as reached where most rounds reach it, too', (t) => {
  const inRounds = (rounds: [theirs: number, ours: number][]) =>
    targetTable(
      results(rounds.flatMap(([theirs, ours], i) => [sample(1, theirs, { seed: i }), sample(3, ours, { seed: i })])),
    )[1]?.slice(-3)
  t.deepEqual(
    inRounds([
      [100, 140],
      [100, 150],
      [100, 100],
    ]),
    ['1.40 x', '1.40, 1.50, 1.00', 'reached'],
  )
  t.is(
    inRounds([
      [100, 140],
      [100, 100],
      [100, 100],
    ])?.at(-1),
    'missed by 23 %',
  )
  // The medians of the two arms may come from different rounds.
  t.deepEqual(
    inRounds([
      [100, 120],
      [90, 130],
      [110, 131],
    ]),
    ['1.30 x', '1.20, 1.44, 1.19', 'missed in 2 of 3 rounds'],
  )
})

test('targets have units: from commit to the socket, and at rest', (t) => {
  const told = sample(4, 100, { toSocket: { heard: 100, missing: 3, p50: 130, p99: 300 } })
  const rows = targetTable({
    ...results([told]),
    idle: [
      { app: 'mongod', processes: 1, cpu: 0.01, residentMb: 200 },
      { app: 'functions', processes: 1, cpu: 0.02, residentMb: 120 },
    ],
  })
  const row = (what: RegExp) => rows.find(([name = '']) => what.test(name))?.slice(1)
  t.deepEqual(row(/^at rest/), ['at most 4.0 % of a core', '2.0 % of a core', '3.0 % of a core', '', 'reached'])
  t.deepEqual(row(/^their memory/), ['at most 600 MB', '600 MB', '320 MB', '', 'aim reached'])
  t.deepEqual(row(/^64 in flight/), ['at most 100 ms', '100 ms', '130 ms', '', 'missed by 30 %'])
  t.deepEqual(socketTable(results([told, sample(5, 50)])).slice(1), [['uniform', '64', '4', '100', '130', '300', '3']])
})

test('an arm that could not be had is told of, in the table and in the picture', (t) => {
  const run = { ...results([sample(4, 100)]), skipped: [{ arm: 7 as const, why: 'it refuses' }] }
  t.deepEqual(
    armTable(run)
      .filter(([n]) => n === '2' || n === '4' || n === '7')
      .map((row) => row.at(-1)),
    ['not asked for', 'measured', 'skipped: it refuses'],
  )
  const svg = picture(run)
  t.regex(svg, />PostgreSQL transaction<[^]*skipped/)
  t.notRegex(svg, />PostgreSQL, batched</)
})

test('the picture has a bar for each arm and workload, as long as its figure', (t) => {
  const svg = picture(results([sample(4, 400), sample(4, 200, { workload: 'hot' }), sample(5, 100)]))
  const widths = [...svg.matchAll(/width="([\d.]+)" height="18"/g)].map(([, width]) => Number(width))
  const [longest = 0] = widths
  t.true(longest > 0)
  t.deepEqual(widths, [longest, longest / 2, longest / 4])
})

test('the plot has a line for each arm and stays inside of its panel', (t) => {
  const samples = [1, 16, 64, 256].flatMap((inFlight) => [
    sample(1, 3 * inFlight, { inFlight }),
    sample(3, 900, { inFlight }),
  ])
  const options = parseOptions({ workloads: 'uniform', 'in-flight': '1,16,64,256' })
  const svg = plot({ ...results(samples), options })
  t.is(svg.match(/<polyline points="\d[^"]*"/g)?.length, 2)
  for (const [, cy] of svg.matchAll(/cy="([^"]+)"/g)) t.true(Number(cy) >= 0 && Number(cy) <= 240, cy)
})

test('tables go between their markers, and what is written by hand stays', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-report-'))
  t.teardown(() => rm(directory, { recursive: true }))
  const file = join(directory, 'performance.md')
  await writeFile(file, 'By hand.\n\n<!-- measured: comparison -->\n\nold\n\n<!-- /measured -->\n\nAlso by hand.\n')
  await writeReport(results([sample(1, 100), sample(3, 250)]), directory)
  const text = await readFile(file, 'utf8')
  t.regex(text, /^By hand\.\n\n<!-- measured: comparison -->\n\n\| workload [^]*2\.50 x arm 1[^]*Also by hand\.\n$/)
  t.notRegex(text, /old/)
})

test('markdown aligns columns of numbers to the right', (t) => {
  t.is(
    toMarkdown([
      ['a', 'b'],
      ['x', '1.5'],
    ]),
    '| a | b |\n| --- | ---: |\n| x | 1.5 |',
  )
})

test('options that are none are refused by name', (t) => {
  for (const flags of [
    { parts: 'all' },
    { arms: '9' },
    { 'in-flight': '0' },
    { workloads: 'cold' },
    { seconds: '-1' },
    { nodes: '' },
  ]) {
    t.throws(() => parseOptions(flags), { message: new RegExp(`^--${Object.keys(flags)[0] ?? ''}: `) })
  }
})

test('workloads and numbers in flight are paired, unless neither is given', (t) => {
  t.deepEqual(parseOptions({ workloads: 'hot,busy', 'in-flight': '1,64' }).levels, [
    { workload: 'hot', inFlight: 1 },
    { workload: 'hot', inFlight: 64 },
    { workload: 'busy', inFlight: 1 },
  ])
  t.deepEqual(
    parseOptions({ 'in-flight': '16' }).levels.map(({ workload }) => workload),
    ['uniform', 'hot', 'zipf1'],
  )
  t.deepEqual(parseOptions({ quick: true }).levels, [
    { workload: 'uniform', inFlight: 64 },
    { workload: 'hot', inFlight: 64 },
  ])
  t.true(parseOptions({}).levels.length > 3)
})
