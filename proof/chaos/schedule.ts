import { seededRandom, type Random } from '../support/numbers.js'

/**
 * The faults, and when they come. Everything here is decided by the seed alone: the same seed, faults and settings are
 * the same sequence at the same times, whatever the machine makes of it.
 */

export const FAULTS = {
  kill: 'kill -9 of a function instance, a gateway worker or jobs',
  pause: 'SIGSTOP of one of those for longer than stuck-after, then SIGCONT',
  killPrimary: 'kill -9 of the primary; it comes back',
  killSecondary: 'kill -9 of a secondary; it comes back',
  pausePrimary: 'SIGSTOP of the primary for longer than stuck-after, then SIGCONT',
  stepDown: 'rs.stepDown of the primary, by force',
  stallMajority: 'SIGSTOP of both secondaries: nothing becomes majority',
  delay: 'each message between functions and a member of the replica set comes late',
  dropReplies: 'requests go through to a member, replies are lost and the connection breaks',
  reset: 'all connections between functions and a member break',
} as const

export type FaultName = keyof typeof FAULTS
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[]

export interface PlannedFault {
  fault: FaultName
  /** From the beginning of the load. */
  atMs: number
  /** How long it lasts; of a kill of a mongod, until it is started again. */
  durationMs: number
  /** 0 to 1: which one of those that it may hit. */
  pick: number
}

type Range = readonly [fromMs: number, toMs: number]

/** Faults of one lane come one after the other; lanes run side by side, so that faults of different sorts meet. */
interface Lane {
  /** From the end of a fault to the beginning of the next. */
  gapMs: Range
  faults: Partial<Record<FaultName, { weight: number; durationMs: Range }>>
}

/** A schedule of `forMs`. `stuckAfterMs`: pauses outlast it. */
export function planFaults(options: {
  seed: number
  forMs: number
  stuckAfterMs: number
  faults: readonly FaultName[]
}): PlannedFault[] {
  return lanes(options.stuckAfterMs)
    .flatMap((lane, index) => planLane(lane, options, seededRandom(options.seed * 100 + index)))
    .sort((a, b) => a.atMs - b.atMs)
}

function lanes(stuckAfterMs: number): Lane[] {
  const pastLease: Range = [stuckAfterMs + 300, stuckAfterMs + 2500]
  return [
    { gapMs: [4000, 10_500], faults: { kill: { weight: 1, durationMs: [0, 0] } } },
    { gapMs: [10_000, 22_000], faults: { pause: { weight: 1, durationMs: pastLease } } },
    {
      // Long enough for an election, and for some work after it.
      gapMs: [12_000, 26_000],
      faults: {
        killPrimary: { weight: 3, durationMs: [500, 6000] },
        stepDown: { weight: 3, durationMs: [0, 0] },
        killSecondary: { weight: 2, durationMs: [500, 8000] },
        stallMajority: { weight: 2, durationMs: [500, 5000] },
        pausePrimary: { weight: 2, durationMs: pastLease },
      },
    },
    {
      gapMs: [4000, 12_000],
      faults: {
        delay: { weight: 1, durationMs: [500, 4000] },
        dropReplies: { weight: 2, durationMs: [200, 2000] },
        reset: { weight: 1, durationMs: [0, 0] },
      },
    },
  ]
}

function planLane(
  { gapMs, faults }: Lane,
  { forMs, faults: wanted }: { forMs: number; faults: readonly FaultName[] },
  random: Random,
): PlannedFault[] {
  const choices = FAULT_NAMES.flatMap((fault) => {
    const kind = wanted.includes(fault) ? faults[fault] : undefined
    return kind ? [{ fault, ...kind }] : []
  })
  const plan: PlannedFault[] = []
  if (choices.length === 0) return plan
  for (let atMs = within(gapMs, random); ;) {
    const { fault, durationMs: range } = weighted(choices, random)
    const durationMs = within(range, random)
    // None is cut short by the end.
    if (atMs + durationMs > forMs) return plan
    plan.push({ fault, atMs, durationMs, pick: random() })
    atMs += durationMs + within(gapMs, random)
  }
}

const within = ([from, to]: Range, random: Random): number => Math.round(from + random() * (to - from))

function weighted<T extends { weight: number }>(choices: readonly T[], random: Random): T {
  let left = random() * choices.reduce((sum, { weight }) => sum + weight, 0)
  return choices.find(({ weight }) => (left -= weight) < 0) ?? (choices.at(-1) as T)
}
