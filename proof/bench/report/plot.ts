import { ARMS, type ArmNumber } from '../arms/arm.js'
import type { Results } from '../results.js'
import { WORKLOADS, type Workload } from '../workload.js'
import { summarize, type Summary } from './tables.js'

const PANEL = { width: 380, height: 240, left: 56, right: 16, top: 34, bottom: 40 }
const COLOURS: Record<ArmNumber, string> = {
  1: '#b45309',
  2: '#9ca3af',
  3: '#1d4ed8',
  4: '#7c3aed',
  5: '#f59e0b',
  6: '#c4b5fd',
  7: '#0e7490',
  8: '#22d3ee',
}
const LEGEND_LINE = 18

/** Bookings a second by bookings in flight, a panel a workload and a line an arm, as an SVG document. */
export function plot({ samples, options }: Results): string {
  const all = summarize(samples).filter(({ inFlight }) => inFlight !== null)
  const levelsOf = (workload: Workload): number[] =>
    options.levels.filter((level) => level.workload === workload).map(({ inFlight }) => inFlight)
  // A line needs two points.
  const workloads = [...new Set(options.levels.map(({ workload }) => workload))].filter(
    (workload) => levelsOf(workload).length > 1,
  )
  const columns = Math.max(1, Math.min(2, workloads.length))
  const rows = Math.ceil(workloads.length / columns)
  const width = columns * PANEL.width
  const legendTop = rows * PANEL.height
  const height = legendTop + (options.arms.length + 1) * LEGEND_LINE
  const panels = workloads.map((workload, i) => {
    const x = (i % columns) * PANEL.width
    const y = Math.floor(i / columns) * PANEL.height
    return `<g transform="translate(${x} ${y})">${panel(workload, all, levelsOf(workload), options.arms)}</g>`
  })
  const legend = options.arms.map(
    (arm, i) =>
      `<g transform="translate(${PANEL.left} ${legendTop + (i + 0.5) * LEGEND_LINE})">` +
      `<line x2="24" stroke="${COLOURS[arm]}" stroke-width="2.5"/>` +
      `<text x="32" y="4">arm ${arm}: ${ARMS[arm]}</text></g>`,
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...panels,
    ...legend,
    '</svg>\n',
  ].join('\n')
}

function panel(workload: Workload, all: Summary[], levels: number[], arms: ArmNumber[]): string {
  const shown = all.filter((summary) => summary.workload === workload)
  const top = niceCeiling(Math.max(1, ...shown.map(({ bookingsPerSecond }) => bookingsPerSecond)))
  const inner = { width: PANEL.width - PANEL.left - PANEL.right, height: PANEL.height - PANEL.top - PANEL.bottom }
  // Levels are powers of each other: evenly spaced, as on a logarithmic axis.
  const xOf = (level: number) => PANEL.left + (levels.indexOf(level) / (levels.length - 1)) * inner.width
  const yOf = (rate: number) => PANEL.top + inner.height * (1 - rate / top)
  const bottom = yOf(0)

  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = yOf(share * top).toFixed(1)
    return (
      `<line x1="${PANEL.left}" x2="${PANEL.left + inner.width}" y1="${y}" y2="${y}" stroke="#e5e7eb"/>` +
      `<text x="${PANEL.left - 6}" y="${y}" dy="4" text-anchor="end" fill="#4b5563">${Math.round(share * top)}</text>`
    )
  })
  const ticks = levels.map(
    (level) =>
      `<text x="${xOf(level).toFixed(1)}" y="${bottom + 16}" text-anchor="middle" fill="#4b5563">${level}</text>`,
  )
  const lines = arms.map((arm) => {
    const points = shown
      .filter((summary) => summary.arm === arm)
      .sort((a, b) => (a.inFlight ?? 0) - (b.inFlight ?? 0))
      .map((summary) => [xOf(summary.inFlight ?? 0).toFixed(1), yOf(summary.bookingsPerSecond).toFixed(1)])
    const dots = points.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${COLOURS[arm]}"/>`)
    const path = points.map((point) => point.join(',')).join(' ')
    return `<polyline points="${path}" fill="none" stroke="${COLOURS[arm]}" stroke-width="2"/>${dots.join('')}`
  })
  return [
    `<text x="${PANEL.left}" y="18" font-weight="bold">${WORKLOADS[workload]}: bookings/s</text>`,
    ...grid,
    ...ticks,
    `<text x="${PANEL.left + inner.width / 2}" y="${bottom + 32}" text-anchor="middle" fill="#4b5563">in flight</text>`,
    ...lines,
  ].join('\n')
}

/** 1, 2, 4 or 8 times a power of ten, so that quarters are round. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 4, 8, 10].find((step) => step * power >= value) ?? 10) * power
}
