import { availableParallelism, loadavg } from 'node:os'
import { table } from '../../client/apps/show.js'
import { toMarkdown, fillSection } from '../support/markdown.js'
import type { SiegeReport } from './run.js'
import type { Row } from './verdict.js'

const HEADER = ['attack', 'p50 ms', 'p99 ms', 'honest requests', 'failed', 'largest MB', 'disk MB', 'the attacker got']
const MOST_OUTCOMES = 4

const counts = (of: Record<string, number>): string =>
  Object.entries(of)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST_OUTCOMES)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')

const cells = (row: Row): string[] => [
  row.attack,
  row.with.p50Ms.toFixed(0),
  row.with.p99Ms.toFixed(0),
  String(row.with.requests),
  counts(row.with.failed),
  row.largestMb.toFixed(0),
  row.diskMb.toFixed(0),
  counts(row.outcomes),
]

const verdict = (violations: readonly string[]): string[] =>
  violations.length === 0 ? ['Nothing went down.'] : violations.map((each) => `MISSED: ${each}`)

/** First what they are without an attack. */
const lines = (rows: readonly Row[]): string[][] => {
  const [first] = rows
  const { p50Ms = 0, p99Ms = 0, requests = 0, failed = {} } = first?.without ?? {}
  const none = ['(none)', p50Ms.toFixed(0), p99Ms.toFixed(0), String(requests), counts(failed), '', '', '']
  return [none, ...rows.map(cells)]
}

export const inWords = ({ rows, violations }: SiegeReport): string =>
  [table(HEADER, lines(rows)), '', ...verdict(violations)].join('\n')

/** Into docs/security.md, between the markers. */
export async function writeDocs(report: SiegeReport, file: string, run: { command: string; at: Date }): Promise<void> {
  const { rows, seconds, violations } = report
  const busy = loadavg()[0]?.toFixed(1)
  const what = rows.map((row) => [row.attack, row.what])
  await fillSection(
    file,
    'siege',
    [
      `    ${run.command}`,
      `${run.at.toISOString().slice(0, 10)}, each attack for ${seconds.toFixed(1)} s; ${availableParallelism()} cores, ${busy} busy processes on them, the siege's own included:`,
      toMarkdown([HEADER, ...lines(rows)]),
      verdict(violations).join('\n\n'),
      toMarkdown([['attack', 'what it is'], ...what]),
    ].join('\n\n'),
  )
}
