import { median, percentile } from '../support/numbers.js'

/** What honest clients saw in a while. */
export interface Experience {
  requests: number
  /** By what came instead of an answer. */
  failed: Record<string, number>
  p50Ms: number
  p99Ms: number
}

/** A client that waits would have asked again by then. */
const ASKS_EVERY_MS = 100

/** Notes each request where it began, however long it takes. */
export class Seen {
  private readonly waitsMs: number[] = []
  private readonly failures: Record<string, number> = {}

  note(waitMs: number, outcome: string): void {
    this.waitsMs.push(waitMs)
    if (outcome !== 'ok') this.failures[outcome] = (this.failures[outcome] ?? 0) + 1
  }

  experience(): Experience {
    const sorted = this.waitsMs.flatMap(alsoUnasked).sort((a, b) => a - b)
    return {
      requests: this.waitsMs.length,
      failed: this.failures,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
    }
  }
}

/**
 * What honest clients see when nobody attacks: the median of what they saw in each of the run's quiet whiles. In some of
 * them an attack before is still felt; in most it is not.
 */
export function typical(quiet: readonly Experience[]): Experience {
  const failed: Record<string, number> = {}
  for (const each of quiet)
    for (const [outcome, count] of Object.entries(each.failed)) failed[outcome] = (failed[outcome] ?? 0) + count
  return {
    requests: quiet.reduce((sum, { requests }) => sum + requests, 0),
    failed,
    p50Ms: median(quiet.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(quiet.map(({ p99Ms }) => p99Ms)),
  }
}

/**
 * A client that waits asks nothing meanwhile, so that a long wait counts once where it would have been met many times
 * (coordinated omission): what it would have asked counts with what was left of the wait.
 */
export function alsoUnasked(waitMs: number): number[] {
  const waits = [waitMs]
  for (let left = waitMs - ASKS_EVERY_MS; left > 0; left -= ASKS_EVERY_MS) waits.push(left)
  return waits
}

/** What became of the system in a while. */
export interface Cost {
  /** Names of processes that ended. */
  ended: readonly string[]
  /** The largest process of ours at its largest. */
  largestMb: number
  /** Files in DATA_DIR and PM2's logs, by which they grew. */
  diskMb: number
  logMb: number
}

export interface Row extends Cost {
  attack: string
  what: string
  /** In the quiet whiles between the attacks. */
  without: Experience
  with: Experience
  /** What the attacker got, by code. */
  outcomes: Record<string, number>
  /** What came through that must not. */
  breaches: readonly string[]
}

/** The limits that the siege holds the system to. */
export const LIMITS = { worse: 5, failedShare: 0.01, processMb: 700, diskMbASecond: 8, logMb: 200 } as const

/** What an attack achieved, in words; none: nothing. */
export function judge(row: Row, seconds: number): string[] {
  const { attack, without, with: during, ended, largestMb, diskMb, logMb, breaches } = row
  const failures = sum(during.failed)
  const claims: [boolean, string][] = [
    [without.requests === 0, 'no honest request was made without it: nothing to compare with'],
    [during.requests === 0, 'no honest request was made during it'],
    [
      during.p99Ms >= LIMITS.worse * without.p99Ms && without.requests > 0,
      `honest p99 ${during.p99Ms.toFixed(0)} ms is ${(during.p99Ms / without.p99Ms).toFixed(1)} x what it is without`,
    ],
    [
      failures > LIMITS.failedShare * during.requests,
      `${failures} of ${during.requests} honest requests failed: ${Object.keys(during.failed).join(', ')}`,
    ],
    [ended.length > 0, `ended: ${ended.join(', ')}`],
    [largestMb > LIMITS.processMb, `a process took ${largestMb.toFixed(0)} MB`],
    [diskMb > LIMITS.diskMbASecond * seconds, `the data grew by ${diskMb.toFixed(0)} MB in ${seconds.toFixed(0)} s`],
    [logMb > LIMITS.logMb, `there are ${logMb.toFixed(0)} MB of logs`],
    ...[...new Set(breaches)].map((what): [boolean, string] => [true, what]),
  ]
  return claims.flatMap(([is, what]) => (is ? [`${attack}: ${what}`] : []))
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, each) => all + each, 0)
