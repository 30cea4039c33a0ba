import test from 'ava'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sample } from '../../../proof/bench/measure.js'
import { parseOptions } from '../../../proof/bench/options.js'
import { writeReport } from '../../../proof/bench/report/document.js'
import { plot } from '../../../proof/bench/report/plot.js'
import { comparison, summarize } from '../../../proof/bench/report/tables.js'
import { toMarkdown } from '../../../proof/support/markdown.js'
import { targetTable } from '../../../proof/bench/report/targets.js'
import type { Results } from '../../../proof/bench/results.js'

const sample = (arm: Sample['arm'], bookingsPerSecond: number, more: Partial<Sample> = {}): Sample => ({
  arm,
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
  anomalies: [],
  ...more,
})

const results = (samples: Sample[]): Results => ({
  command: 'npm run bench',
  startedAt: '2031-01-01T00:00:00.000Z',
  machine: { cpu: 'a', cores: 2, memoryGb: 8, os: 'b', node: 'c', mongod: 'd', loadPerCore: 0 },
  options: parseOptions({}),
  ceilings: [{ inFlight: 64, writesPerSecond: 4000 }],
  samples,
  reads: [],
  growth: null,
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

test('the plot has a line for each arm and stays inside of its panel', (t) => {
  const samples = [1, 16, 64, 256].flatMap((inFlight) => [
    sample(1, 3 * inFlight, { inFlight }),
    sample(3, 900, { inFlight }),
  ])
  const svg = plot(results(samples))
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
  for (const flags of [{ arms: '9' }, { 'in-flight': '0' }, { workloads: 'cold' }, { seconds: '-1' }, { nodes: '' }]) {
    t.throws(() => parseOptions(flags), { message: new RegExp(`^--${Object.keys(flags)[0] ?? ''}: `) })
  }
})
