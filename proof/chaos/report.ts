import { arch, cpus, platform, totalmem } from 'node:os'
import { percentile } from '../support/numbers.js'
import type { Auditor } from './auditor.js'
import { count, type Journal, type Tally, type Violation } from './journal.js'
import type { Nemesis } from './nemesis.js'
import type { ReplicaSet } from './replicaSet.js'
import type { FaultName } from './schedule.js'
import type { Kind, Snapshot } from './snapshot.js'

interface OperationFigures extends Omit<Tally, 'tookMs'> {
  p50Ms: number
  p99Ms: number
  longestMs: number
}

/** What a run saw; docs/reliability.md's figures come from such files. */
export interface ChaosReport {
  ok: boolean
  seed: number
  minutes: number
  startedAt: string
  settings: Record<string, string>
  machine: { cpus: number; memoryGb: number; platform: string; node: string }
  operations: Record<string, OperationFigures>
  faults: { done: Partial<Record<FaultName, number>>; missed: number }
  processKills: number
  pausesPastStuckAfter: number
  elections: number
  audits: Auditor['audits']
  /** Bookings by their last state, reversals apart. */
  bookings: Record<string, number>
  /** Of each kind of thing, as clients were told; left out by runs of before rooms. */
  kinds?: Record<Kind, KindFigures>
  /** Taken over by somebody at least once, and the longest time from creation to the end of one of those. */
  recovered: number
  longestRecoveryMs: number
  /** The longest that any client waited for the definite answer to a request. */
  longestOutageMs: number
  parked: string[]
  violations: Violation[]
}

interface KindFigures {
  tried: number
  booked: number
  /** Of those that were refused, the ones for which there was no car or room left. */
  refused: number
  unavailable: number
  /** Cancellations acknowledged. */
  cancelled: number
}

export function buildReport(run: {
  seed: number
  minutes: number
  startedAt: Date
  settings: Record<string, string>
  journal: Journal
  nemesis: Nemesis
  set: ReplicaSet
  audits: Auditor['audits']
  books: Snapshot
  violations: Violation[]
}): ChaosReport {
  const { seed, minutes, startedAt, settings, journal, nemesis, set, audits, books, violations } = run
  const done: Record<string, number> = {}
  for (const { fault } of nemesis.done) count(done, fault)
  const times = (...faults: FaultName[]): number => faults.reduce((sum, fault) => sum + (done[fault] ?? 0), 0)
  const operations = Object.fromEntries(
    Object.entries(journal.tallies).map(([name, tally]) => [name, figuresOf(tally)] as const),
  )
  const bookings: Record<string, number> = {}
  for (const { state, reverses } of books.bookings) count(bookings, reverses ? `reversal ${state}` : state)
  const recovered = books.bookings.filter(({ repairs }) => repairs > 0)
  return {
    ok: violations.length === 0,
    seed,
    minutes,
    startedAt: startedAt.toISOString(),
    settings,
    machine: {
      cpus: cpus().length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      platform: `${platform()}-${arch()}`,
      node: process.version,
    },
    operations,
    faults: { done, missed: nemesis.missed.length },
    processKills: times('kill', 'killPrimary', 'killSecondary'),
    pausesPastStuckAfter: times('pause', 'pausePrimary'),
    elections: set.elections(),
    audits,
    bookings,
    kinds: { car: figuresOfKind(journal, 'car'), room: figuresOfKind(journal, 'room') },
    recovered: recovered.length,
    longestRecoveryMs: recovered.reduce((top, b) => Math.max(top, b.lastModified - b.createdAt), 0),
    longestOutageMs: Object.values(operations).reduce((top, { longestMs }) => Math.max(top, longestMs), 0),
    parked: books.bookings.filter(({ parked }) => parked).map(({ id }) => id),
    violations,
  }
}

function figuresOfKind(journal: Journal, kind: Kind): KindFigures {
  const theirs = [...journal.bookings.values()].filter((claim) => claim.kind === kind)
  const refusals = theirs.flatMap(({ answer }) => (answer && !answer.ok ? [answer.code] : []))
  return {
    tried: theirs.length,
    booked: theirs.filter(({ answer }) => answer?.ok).length,
    refused: refusals.length,
    unavailable: refusals.filter((code) => code === `${kind}_unavailable`).length,
    cancelled: theirs.flatMap(({ cancels }) => cancels).filter(({ answer }) => answer?.ok).length,
  }
}

function figuresOf({ tookMs, ...tally }: Tally): OperationFigures {
  const sorted = Float64Array.from(tookMs).sort()
  const at = (share: number): number => Math.round(percentile(sorted, share))
  return { ...tally, p50Ms: at(0.5), p99Ms: at(0.99), longestMs: at(1) }
}

/** For the terminal. */
export function showReport(report: ChaosReport): string {
  const rows = [
    ['operation', 'tried', 'acknowledged', 'refused', 'repeated', 'sent', 'unknown', 'p50 ms', 'p99 ms', 'longest ms'],
    ...Object.entries(report.operations).map(([name, figures]) => [
      name,
      figures.tried,
      figures.acknowledged,
      Object.values(figures.refused).reduce((sum, n) => sum + n, 0),
      figures.repeated,
      figures.sent,
      figures.unknown,
      figures.p50Ms,
      figures.p99Ms,
      figures.longestMs,
    ]),
  ]
  const refused = Object.entries(report.operations).map(([name, figures]) => [
    `${name} refused`,
    counts(figures.refused),
  ])
  const later = Object.entries(report.operations).map(([name, figures]) => [
    `${name} told later`,
    counts(figures.retried),
  ])
  const facts = [
    ...[...refused, ...later].filter(([, told]) => told !== ''),
    ['bookings', counts(report.bookings)],
    ...Object.entries(report.kinds ?? {}).map(([kind, figures]) => [`of ${kind}s`, counts({ ...figures })]),
    ['faults', counts(report.faults.done)],
    ['faults that found nothing to hit', report.faults.missed],
    ['process kills', report.processKills],
    ['pauses past stuck-after', report.pausesPastStuckAfter],
    ['elections', report.elections],
    ['audits', `${report.audits.done} (${report.audits.interrupted} interrupted)`],
    ['longest wait of a client for an answer', `${report.longestOutageMs} ms`],
    ['bookings taken over', `${report.recovered}, the longest took ${report.longestRecoveryMs} ms`],
    ['parked', report.parked.length],
    ['violations', report.violations.length],
  ]
  const shown = report.violations.slice(0, VIOLATIONS_SHOWN).map(({ rule, id, detail }) => `  ${rule} ${id}: ${detail}`)
  return [align(rows), '', align(facts), ...shown].join('\n')
}

const VIOLATIONS_SHOWN = 20

const counts = (by: Partial<Record<string, number>>): string =>
  Object.entries(by)
    .map(([key, n]) => `${key} ${n}`)
    .join(', ')

function align(rows: (string | number | undefined)[][]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => String(row[i]).length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) =>
          i === 0 ? String(cell).padEnd(widths[i] ?? 0) : String(cell).padStart(row.length > 2 ? (widths[i] ?? 0) : 0),
        )
        .join('  '),
    )
    .join('\n')
}
