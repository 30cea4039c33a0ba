import type { ParseArgsConfig } from 'node:util'
import { CommandFailure } from '../../cli/lib/command.js'
import { ARMS, type ArmNumber } from './arms/arm.js'
import { isWorkload, WORKLOADS, type Workload } from './workload.js'

export const PARTS = {
  bookings: 'bookings side by side',
  reads: 'reads and getStatus, against an echo server and a find',
  idle: 'what the idle system uses',
  instances: '1, 2 and 4 instances of the functions, end to end',
  growth: 'with 10^4 to 10^6 bookings, long-booked cars, recovery',
} as const
type Part = keyof typeof PARTS

/** How many bookings of a workload are under way at a time. */
export interface Level {
  workload: Workload
  inFlight: number
}

/** Where the arms differ: by load where cars are drawn evenly, by contention where many are there to contend. */
const LEVELS: Level[] = [
  { workload: 'uniform', inFlight: 1 },
  { workload: 'uniform', inFlight: 64 },
  { workload: 'uniform', inFlight: 256 },
  { workload: 'hot', inFlight: 64 },
  { workload: 'zipf1', inFlight: 64 },
]
const QUICK_LEVELS = LEVELS.filter(({ workload, inFlight }) => workload !== 'zipf1' && inFlight === 64)

const inWords = (levels: Level[]): string =>
  levels.map(({ workload, inFlight }) => `${workload} ${inFlight}`).join(', ')

export const USAGE = `npm run bench -- [options]

Books cars side by side, round by round, each arm on a database of its own, and audits the books after each run:
${Object.entries(ARMS)
  .map(([number, what]) => `  arm ${number}  ${what}`)
  .join('\n')}

  --arms LIST        which of them (default: all but 2)
  --workloads LIST   of ${Object.keys(WORKLOADS).join(', ')}
  --in-flight LIST   bookings under way at a time, for each of the workloads
                     (default of both: ${inWords(LEVELS)})
  --parts LIST       of ${Object.keys(PARTS).join(', ')} (default: all):
${Object.entries(PARTS)
  .map(([part, what]) => `                       ${part.padEnd(11)}${what}`)
  .join('\n')}
  --nodes 1          nodes of the replica sets, 1 or 3
  --placement LIST   arm 4's apps, as the setting PLACEMENT has them (default: what npm start chooses)
  --seconds 3        measured a run
  --rounds 3         of all arms; the tables show medians
  --open-loop RATE   also at RATE bookings a second, timed from when each was meant to start
  --quick            two minutes: bookings alone, ${inWords(QUICK_LEVELS)}, one round of 2 s
  --out DIR          write DIR/performance.json, the two pictures, and the tables of performance.md

Without options it takes a quarter of an hour. The books must be right after every run; if they are not, the exit code
is 1.`

export const FLAGS = {
  arms: { type: 'string' },
  'in-flight': { type: 'string' },
  workloads: { type: 'string' },
  parts: { type: 'string' },
  nodes: { type: 'string', default: '1' },
  placement: { type: 'string' },
  seconds: { type: 'string' },
  rounds: { type: 'string' },
  'open-loop': { type: 'string' },
  quick: { type: 'boolean', default: false },
  out: { type: 'string' },
} as const satisfies ParseArgsConfig['options']

type Flags = { [F in keyof typeof FLAGS]?: string | boolean | undefined }

export interface Options {
  arms: ArmNumber[]
  levels: Level[]
  parts: Part[]
  nodes: number
  placement: string
  seconds: number
  warmUpSeconds: number
  /** Once for each arm, before the first round: until its code is compiled and its caches are filled. */
  heatUpSeconds: number
  rounds: number
  openLoopPerSecond: number | null
  out: string | null
}

/** Throws a CommandFailure that names the option and what it may be. */
export function parseOptions(flags: Flags): Options {
  const quick = flags.quick === true
  const text = (flag: keyof Flags, usual: string): string => String(flags[flag] ?? usual)
  const seconds = number('seconds', text('seconds', quick ? '2' : '3'))
  return {
    arms: list('arms', text('arms', '1,3,4,5,6,7,8'), (each) =>
      Object.hasOwn(ARMS, each) ? (Number(each) as ArmNumber) : null,
    ),
    levels: levels(flags, quick ? QUICK_LEVELS : LEVELS),
    parts: list('parts', text('parts', quick ? 'bookings' : Object.keys(PARTS).join(',')), (each) =>
      Object.hasOwn(PARTS, each) ? (each as Part) : null,
    ),
    nodes: number('nodes', text('nodes', '1')),
    placement: text('placement', ''),
    seconds,
    warmUpSeconds: Math.min(1, seconds / 2),
    heatUpSeconds: quick ? 4 : 10,
    rounds: number('rounds', text('rounds', quick ? '1' : '3')),
    openLoopPerSecond: flags['open-loop'] === undefined ? null : number('open-loop', text('open-loop', '')),
    out: flags.out === undefined ? null : String(flags.out),
  }
}

/** Every workload at every number that was asked for; who asks for neither gets the usual pairs. */
function levels(flags: Flags, usual: Level[]): Level[] {
  if (flags.workloads === undefined && flags['in-flight'] === undefined) return usual
  const given = (flag: keyof Flags, values: (string | number)[]): string =>
    String(flags[flag] ?? [...new Set(values)].join(','))
  const workloads = list(
    'workloads',
    given(
      'workloads',
      usual.map(({ workload }) => workload),
    ),
    (each) => (isWorkload(each) ? each : null),
  )
  const inFlight = list(
    'in-flight',
    given(
      'in-flight',
      usual.map((level) => level.inFlight),
    ),
    positive,
  )
  // One user has one booking at a time, however many are asked for.
  return workloads.flatMap((workload) =>
    (workload === 'busy' ? [1] : inFlight).map((level) => ({ workload, inFlight: level })),
  )
}

const positive = (text: string): number | null => (/^[1-9]\d{0,6}$/.test(text) ? Number(text) : null)

const number = (flag: string, text: string): number => list(flag, text, positive)[0] as number

function list<T>(flag: string, text: string, parse: (each: string) => T | null): T[] {
  return text.split(',').map((each) => {
    const parsed = parse(each.trim())
    if (parsed === null) throw new CommandFailure(`--${flag}: "${each}" is none\n\n${USAGE}`)
    return parsed
  })
}
