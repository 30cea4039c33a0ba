import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChaosReport } from './report.js'

/**
 * The figures of docs/reliability.md, made from the reports in docs/chaos:
 *
 *     node --import=tsx proof/chaos/figures.ts
 *
 * Replaces what stands between the two marks; a test compares.
 */

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url))
export const PAGE = join(DOCS, 'reliability.md')
const REPORTS = join(DOCS, 'chaos')
const BEGIN = '<!-- figures: made by proof/chaos/figures.ts -->'
const END = '<!-- /figures -->'

/** The page with the figures of all reports in it. */
export function withFigures(page: string): string {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has no place for the figures`)
  return [before, BEGIN, '\n\n', figures(readReports()), '\n\n', END, after].join('')
}

const readReports = (): ChaosReport[] =>
  readdirSync(REPORTS)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(REPORTS, name), 'utf8')) as ChaosReport)
    .sort((a, b) => Number(!!a.kinds) - Number(!!b.kinds) || a.seed - b.seed)

function figures(reports: readonly ChaosReport[]): string {
  const rows: [string, (report: ChaosReport) => number, 'sum' | 'max'][] = [
    ['minutes', ({ minutes }) => minutes, 'sum'],
    ['bookings tried', ({ operations }) => operations['createBooking']?.tried ?? 0, 'sum'],
    ['acknowledged', ({ operations }) => operations['createBooking']?.acknowledged ?? 0, 'sum'],
    ['refused', ({ operations }) => total(operations['createBooking']?.refused), 'sum'],
    ['of rooms: acknowledged', ({ kinds }) => kinds?.room.booked ?? 0, 'sum'],
    ['of rooms: refused', ({ kinds }) => kinds?.room.refused ?? 0, 'sum'],
    ['of rooms: cancellations acknowledged', ({ kinds }) => kinds?.room.cancelled ?? 0, 'sum'],
    ['cancellations acknowledged', ({ operations }) => operations['cancelBooking']?.acknowledged ?? 0, 'sum'],
    ['deposits and withdrawals acknowledged', moved, 'sum'],
    ['messages with an unknown outcome', unknown, 'sum'],
    ['process kills (kill -9)', ({ processKills }) => processKills, 'sum'],
    ['pauses longer than stuck-after', ({ pausesPastStuckAfter }) => pausesPastStuckAfter, 'sum'],
    ['elections', ({ elections }) => elections, 'sum'],
    ['stalls of the majority', done('stallMajority'), 'sum'],
    ['network faults (delays, lost replies, resets)', done('delay', 'dropReplies', 'reset'), 'sum'],
    ['audits of all books', ({ audits }) => audits.done, 'sum'],
    ['bookings taken over', ({ recovered }) => recovered, 'sum'],
    ['longest until such a booking ended, ms', ({ longestRecoveryMs }) => longestRecoveryMs, 'max'],
    ['longest wait of a client, ms', ({ longestOutageMs }) => longestOutageMs, 'max'],
    ['parked', ({ parked }) => parked.length, 'sum'],
    ['violations', ({ violations }) => violations.length, 'sum'],
  ]
  const line = (cells: (string | number)[]): string => `| ${cells.join(' | ')} |`
  return [
    line(['', ...reports.map(({ seed, kinds }) => `seed ${seed}${kinds ? ', rooms' : ''}`), 'all']),
    line(['---', ...reports.map(() => '--:'), '--:']),
    ...rows.map(([name, valueOf, how]) => {
      const values = reports.map(valueOf)
      const all = how === 'sum' ? values.reduce((sum, value) => sum + value, 0) : Math.max(0, ...values)
      return line([name, ...values, all])
    }),
  ].join('\n')
}

const total = (counts: Record<string, number> | undefined): number =>
  Object.values(counts ?? {}).reduce((sum, n) => sum + n, 0)

const moved = ({ operations }: ChaosReport): number =>
  (operations['depositFunds']?.acknowledged ?? 0) + (operations['withdrawFunds']?.acknowledged ?? 0)

const unknown = ({ operations }: ChaosReport): number =>
  Object.values(operations).reduce((sum, figures) => sum + figures.unknown, 0)

const done =
  (...faults: (keyof ChaosReport['faults']['done'])[]) =>
  (report: ChaosReport): number =>
    faults.reduce((sum, fault) => sum + (report.faults.done[fault] ?? 0), 0)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(PAGE, withFigures(readFileSync(PAGE, 'utf8')))
}
