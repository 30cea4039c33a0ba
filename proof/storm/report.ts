import { availableParallelism, loadavg } from 'node:os'
import { table } from '../../client/apps/show.js'
import { fillSection, toMarkdown } from '../support/markdown.js'
import type { StormReport } from './run.js'

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, each) => all + each, 0)

const withCodes = (counts: Record<string, number>): string =>
  [sum(counts), ...Object.entries(counts).map(([code, count]) => `of them ${code} ${count}`)].join(', ')

const verdict = (violations: readonly string[]): string[] =>
  violations.length === 0
    ? ['Each acknowledged booking is in the books once, no other is, every feed was complete and in order.']
    : violations.map((each) => `MISSED: ${each}`)

const rows = (report: StormReport): string[][] => [
  ['bookings', `${report.clients} clients`],
  ['offered', String(report.offered)],
  ['acknowledged', String(report.acknowledged)],
  ['refused', withCodes(report.refused)],
  ['failed, outcome unknown', withCodes(report.failed)],
  ['posts', String(report.posts)],
  ['feeds followed, entries', `${report.feeds}, ${report.entries}`],
  ['reconnects', String(report.reconnects)],
  ['workers killed, gateway reloaded', `${report.weather.kills}, ${report.weather.reloads}`],
  ['all connections cut, network away', `${report.weather.cuts} times, ${report.weather.secondsAway} s`],
  ['a token lives', `${report.tokenSeconds} s`],
]

export function inWords(report: StormReport): string {
  const [head = [], ...rest] = rows(report)
  return [table(head, rest), '', `Seed ${report.seed}`, ...verdict(report.violations)].join('\n')
}

/** Into docs/client.md, between the markers. */
export async function writeDocs(report: StormReport, file: string, run: { command: string; at: Date }): Promise<void> {
  const busy = loadavg()[0]?.toFixed(1)
  await fillSection(
    file,
    'storm',
    [
      `    ${run.command}`,
      `${run.at.toISOString().slice(0, 10)}; ${availableParallelism()} cores, ${busy} busy processes on them, the clients included:`,
      toMarkdown(rows(report)),
      verdict(report.violations).join('\n\n'),
    ].join('\n\n'),
  )
}
