import type { ArmNumber } from '../arms/arm.js'
import type { Results } from '../results.js'
import type { Workload } from '../workload.js'
import { summarize } from './tables.js'

/** Whom the picture compares, from the top, in the words of somebody who knows none of them. */
const SHOWN: [arm: ArmNumber, name: string, how: string][] = [
  [4, 'Holdfast', 'as npm start runs it'],
  [5, 'MongoDB transaction', 'by hand, behind socket.io'],
  [7, 'PostgreSQL transaction', 'by hand, behind socket.io'],
  [8, 'PostgreSQL, batched', 'waiting bookings in one statement'],
  [3, 'Holdfast, in process', 'without network and PM2'],
  [1, 'MongoDB transaction, in process', 'without network'],
]
const SERIES: [workload: Workload, name: string, ours: string, theirs: string][] = [
  ['uniform', 'any of 1,000 cars', '#1d4ed8', '#6b7280'],
  ['hot', 'everybody wants the same car', '#93c5fd', '#d1d5db'],
]
const IN_FLIGHT = 64
const OURS: ReadonlySet<ArmNumber> = new Set([3, 4, 6])
const WIDTH = 760
const LEFT = 240
const RIGHT = 70
const TOP = 78
const ROW = 56
const BAR = 18

/** Bookings a second at 64 in flight, a row an arm, as an SVG document. */
export function picture({ samples, skipped }: Results): string {
  const all = summarize(samples).filter(({ inFlight }) => inFlight === IN_FLIGHT)
  const rateOf = (arm: ArmNumber, workload: Workload): number | undefined =>
    all.find((each) => each.arm === arm && each.workload === workload)?.bookingsPerSecond
  const rows = SHOWN.filter(([arm]) => all.some((each) => each.arm === arm) || skipped.some((each) => each.arm === arm))
  const most = Math.max(1, ...rows.flatMap(([arm]) => SERIES.map(([workload]) => rateOf(arm, workload) ?? 0)))
  const height = TOP + rows.length * ROW + 12

  const bars = rows.map(([arm, name, how], i) => {
    const y = TOP + i * ROW
    const label =
      `<text x="${LEFT - 14}" y="${y + 15}" text-anchor="end" font-weight="bold">${name}</text>` +
      `<text x="${LEFT - 14}" y="${y + 32}" text-anchor="end" font-size="12" fill="#4b5563">${how}</text>`
    if (skipped.some((each) => each.arm === arm)) {
      return `${label}<text x="${LEFT}" y="${y + 22}" fill="#4b5563">skipped: it does not run on this machine</text>`
    }
    const both = SERIES.map(([workload, , ours, theirs], j) => {
      const rate = rateOf(arm, workload)
      if (rate === undefined) return ''
      const width = Math.max(1, (rate / most) * (WIDTH - LEFT - RIGHT))
      const top = y + j * (BAR + 2)
      return (
        `<rect x="${LEFT}" y="${top}" width="${width.toFixed(1)}" height="${BAR}" fill="${OURS.has(arm) ? ours : theirs}"/>` +
        `<text x="${(LEFT + width + 6).toFixed(1)}" y="${top + 14}">${Math.round(rate).toLocaleString('en-US')}</text>`
      )
    })
    return label + both.join('')
  })
  const legend = SERIES.map(([, name, ours, theirs], i) => {
    const x = LEFT + i * 190
    return (
      `<rect x="${x}" y="44" width="12" height="12" fill="${ours}"/><rect x="${x + 13}" y="44" width="12" height="12" fill="${theirs}"/>` +
      `<text x="${x + 32}" y="55" font-size="13">${name}</text>`
    )
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="14">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    `<text x="${LEFT}" y="28" font-size="17" font-weight="bold">Bookings a second, ${IN_FLIGHT} under way at a time</text>`,
    ...legend,
    ...bars,
    '</svg>\n',
  ].join('\n')
}
