import type { ParseArgsConfig } from 'node:util'
import { CommandFailure } from '../../cli/lib/command.js'
import { ARMS, type ArmNumber } from './arms/arm.js'
import { isWorkload, WORKLOADS, type Workload } from './workload.js'

export const USAGE = `npm run bench -- [options]

Books cars side by side, round by round, each arm on a database of its own, and audits the books after each run:
${Object.entries(ARMS)
  .map(([number, what]) => `  arm ${number}  ${what}`)
  .join('\n')}

  --arms 1,2,3,4,5,6         which of them
  --in-flight 1,16,64,256    bookings under way at a time
  --workloads LIST           of ${Object.keys(WORKLOADS).join(', ')}
  --nodes 1                  nodes of the replica set, 1 or 3
  --placement LIST           arm 4's apps, as the setting PLACEMENT has them (default: what npm start chooses)
  --seconds 5                measured a run
  --rounds 3                 of all arms; the tables show medians
  --open-loop RATE           also at RATE bookings a second, timed from when each was meant to start
  --reads                    also reads and getStatus, against an echo server and a find
  --growth                   also with 10^4 to 10^6 bookings, long-booked cars, recovery, 1 to 4 instances (slow)
  --idle                     also what the idle system uses
  --quick                    about a minute: 64 in flight, uniform and hot, short runs
  --out DIR                  write DIR/performance.json, .svg and .md

The books must be right after every run; if they are not, the exit code is 1.`

export const FLAGS = {
  arms: { type: 'string' },
  'in-flight': { type: 'string' },
  workloads: { type: 'string' },
  nodes: { type: 'string', default: '1' },
  placement: { type: 'string' },
  seconds: { type: 'string' },
  rounds: { type: 'string' },
  'open-loop': { type: 'string' },
  reads: { type: 'boolean', default: false },
  growth: { type: 'boolean', default: false },
  idle: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  out: { type: 'string' },
} as const satisfies ParseArgsConfig['options']

type Flags = { [F in keyof typeof FLAGS]?: string | boolean | undefined }

export interface Options {
  arms: ArmNumber[]
  inFlight: number[]
  workloads: Workload[]
  nodes: number
  placement: string
  seconds: number
  warmUpSeconds: number
  /** Once for each arm, before the first round: until its code is compiled and its caches are filled. */
  heatUpSeconds: number
  rounds: number
  openLoopPerSecond: number | null
  reads: boolean
  growth: boolean
  idle: boolean
  out: string | null
}

/** Throws a CommandFailure that names the option and what it may be. */
export function parseOptions(flags: Flags): Options {
  const quick = flags.quick === true
  const text = (flag: keyof Flags, usual: string): string => String(flags[flag] ?? usual)
  const seconds = number('seconds', text('seconds', quick ? '2' : '5'))
  return {
    arms: list('arms', text('arms', Object.keys(ARMS).join(',')), (each) =>
      Object.hasOwn(ARMS, each) ? (Number(each) as ArmNumber) : null,
    ),
    inFlight: list('in-flight', text('in-flight', quick ? '64' : '1,16,64,256'), positive),
    workloads: list('workloads', text('workloads', quick ? 'uniform,hot' : Object.keys(WORKLOADS).join(',')), (each) =>
      isWorkload(each) ? each : null,
    ),
    nodes: number('nodes', text('nodes', '1')),
    placement: text('placement', ''),
    seconds,
    warmUpSeconds: Math.min(1, seconds / 2),
    heatUpSeconds: quick ? 5 : 20,
    rounds: number('rounds', text('rounds', quick ? '1' : '3')),
    openLoopPerSecond: flags['open-loop'] === undefined ? null : number('open-loop', text('open-loop', '')),
    reads: flags.reads === true,
    growth: flags.growth === true,
    idle: flags.idle === true,
    out: flags.out === undefined ? null : String(flags.out),
  }
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
