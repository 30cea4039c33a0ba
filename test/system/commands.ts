import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE } from '../../proof/support/installation.js'

/**
 * Every script of package.json, as a user types it: a good case and at least two bad ones. A script that is not here fails
 * commands.test.ts. Good cases run on the system that lifecycle.test.ts starts, unless another test has it already.
 */
export interface Command {
  good: Good | { shownBy: string }
  bad: readonly Bad[]
}

export interface Good {
  /** After `npm run <script> --`. */
  words: string
  code?: number
  /** Of what it prints. */
  says: RegExp
  /** What is there before the system started, or takes none. */
  alone?: true
}

export interface Bad {
  words?: string
  env?: Record<string, string>
  /** Of one line that it prints on stderr. */
  says: RegExp
}

const UNKNOWN: Bad = { words: '--nonsense', says: /^Unknown option '--nonsense'/ }
const NO_WORDS: Bad = { words: 'nonsense', says: /^Unexpected argument 'nonsense'/ }
const BAD_SETTING: Bad = { env: { GATEWAY_PORT: '8080abc' }, says: /^GATEWAY_PORT=8080abc is no whole number/ }
const OUT_OF_REACH = /^MongoDB is out of reach at 127\.0\.0\.1:1\/books .* npm start starts it\./
const NOT_RUNNING: Bad = { says: OUT_OF_REACH }
const downWith = (words: string): Bad => ({ words, says: OUT_OF_REACH })
const seed = (words: string): Bad => ({ words, says: /is not a whole number/ })

/** Tools of others, whose words they read themselves. */
const TOOLS: Record<string, Command> = {
  types: { good: { shownBy: '.ci/run' }, bad: [] },
  lint: { good: { shownBy: '.ci/run' }, bad: [] },
  format: { good: { shownBy: '.ci/run' }, bad: [] },
  test: { good: { shownBy: '.ci/run' }, bad: [] },
  'test:proof': { good: { shownBy: '.ci/run' }, bad: [] },
  'test:system': { good: { shownBy: '.ci/run' }, bad: [] },
  'test:load': { good: { shownBy: '.ci/run' }, bad: [] },
}

const RUNNING: Record<string, Command> = {
  start: {
    good: { shownBy: 'test/system/lifecycle.test.ts' },
    bad: [
      UNKNOWN,
      NO_WORDS,
      BAD_SETTING,
      {
        env: { DATA_DIR: '/dev/null/data', AUTH_SECRET: '' },
        says: /^DATA_DIR=\/dev\/null\/data cannot be used: ENOTDIR/,
      },
    ],
  },
  stop: { good: { shownBy: 'test/system/lifecycle.test.ts' }, bad: [UNKNOWN, NO_WORDS, BAD_SETTING] },
  reload: {
    good: { shownBy: 'test/system/badDeploys.test.ts' },
    bad: [UNKNOWN, BAD_SETTING, { says: /^Nothing of ours runs under PM2 in .*: npm start starts it\./ }],
  },
  status: {
    good: { words: '', says: /^OK: Every function answers\./m },
    bad: [UNKNOWN, NO_WORDS, BAD_SETTING],
  },
  audit: {
    good: { words: '', says: /^The books balance\.$/m },
    bad: [UNKNOWN, NO_WORDS, NOT_RUNNING],
  },
  demo: {
    good: { words: '', says: /^user {3}cancelBooking: reversal COMMITTED$/m },
    bad: [UNKNOWN, NO_WORDS, NOT_RUNNING],
  },
  token: {
    good: { words: '--role admin', says: /^[\w-]+\.[\w-]+\.[\w-]+$/m },
    bad: [
      UNKNOWN,
      { words: '--role king', says: /^--role must be admin or user\./ },
      { words: '--role user --user 12', says: /^--user 12: not 24 lower-case hex digits\./ },
      downWith('--role admin'),
    ],
  },
  call: {
    good: { words: "getStatus '{}'", says: /"status": "OK"/ },
    bad: [
      UNKNOWN,
      { words: 'createCr', says: /^There is no operation createCr: did you mean createCar\?/ },
      { words: "getCar '{carId}'", says: /^The input is no JSON object: \{carId\}\./ },
      downWith('getStatus'),
    ],
  },
  bookings: {
    good: { words: 'list', says: /^No booking is stuck\.$/m },
    bad: [
      UNKNOWN,
      { words: 'show', says: /^npm run bookings -- <what to do>/ },
      { words: 'list --stuck --parked', says: /^npm run bookings -- <what to do>/ },
      downWith('list'),
    ],
  },
  jobs: {
    good: { words: 'list', says: /^recover-bookings /m },
    bad: [
      UNKNOWN,
      { words: 'purge --older-than 7', says: /^--older-than 7: not an age like 90s, 15m, 12h or 7d\./ },
      { words: 'requeue', says: /^npm run jobs -- <what to do>/ },
      downWith('list'),
    ],
  },
  events: {
    good: { words: 'list', says: /0 dead letters/ },
    bad: [
      UNKNOWN,
      { words: 'list --limit many', says: /^--limit many: not a number from 1 to 9999\./ },
      { words: 'redrive', says: /^npm run events -- <what to do>/ },
      downWith('list'),
    ],
  },
  views: {
    good: { words: 'verify', says: /^calendars: \d+ documents from \d+ entries in \d+\.\d s, equal$/m },
    bad: [UNKNOWN, { words: 'sideways', says: /^npm run views -- <what to do>/ }, downWith('status --view nonsense')],
  },
  migrate: {
    good: { words: 'status', says: /^bookings\/0001-bookings +applied +20\d\d-/m },
    bad: [
      UNKNOWN,
      { words: 'sideways', says: /^npm run migrate -- <command>/ },
      { words: 'up --domain nonsense', says: /^No domain "nonsense" has migrations\. Those that have: bookings, / },
      { words: 'create Users/x', says: /^Name it <domain>\/<words>\./ },
      downWith('up'),
    ],
  },
}

const DEVELOPING: Record<string, Command> = {
  build: {
    good: { words: '--help', says: /^npm run build/, alone: true },
    bad: [
      { words: '--nonsense', says: /^npm run build takes no words/ },
      { words: 'nonsense', says: /^npm run build takes no words, and there is no command "nonsense"\./ },
    ],
  },
  dev: { good: { shownBy: 'test/system/dev.test.ts' }, bad: [UNKNOWN, NO_WORDS, BAD_SETTING] },
  check: { good: { words: '--help', says: /^npm run check/, alone: true }, bad: [UNKNOWN, NO_WORDS] },
  docs: { good: { words: '', says: /^docs\/operations\.md$/m, alone: true }, bad: [UNKNOWN, NO_WORDS] },
}

const PROOF: Record<string, Command> = {
  explore: {
    good: { words: '--list', says: /^owner-recovery +/m, alone: true },
    bad: [
      UNKNOWN,
      { words: '--case nonsense', says: /^There is no case nonsense\. --list shows all\./ },
      { words: '--max-faults many', says: /^--max-faults many: not a number\./ },
    ],
  },
  mutants: {
    good: { shownBy: 'test/proof/explore/mutants.test.ts' },
    bad: [UNKNOWN, { words: '--only nonsense', says: /^No mutant is called "nonsense"\./ }],
  },
  chaos: {
    good: { shownBy: '.ci/run' },
    bad: [UNKNOWN, seed('--seed x'), { words: '--minutes no', says: /^--minutes no is not a number above 0/ }],
  },
  siege: {
    good: { words: '--help', says: /^npm run siege/, alone: true },
    bad: [UNKNOWN, seed('--seed x'), { words: '--attacks none', says: /^--attacks: there is no none\./ }],
  },
  storm: {
    good: { words: '--help', says: /^npm run storm/, alone: true },
    bad: [UNKNOWN, seed('--seed x'), { words: '--clients 0', says: /^--clients: at least 1, each with a booking/ }],
  },
  bounds: {
    good: { words: '--help', says: /^npm run bounds/, alone: true },
    bad: [UNKNOWN, { words: '--operations none', says: /^--operations: there is no none\./ }],
  },
  race: { good: { shownBy: 'test/system/ticketRace.test.ts' }, bad: [UNKNOWN, seed('--seed x')] },
  'race:logs': { good: { shownBy: 'test/system/logRace.test.ts' }, bad: [UNKNOWN, seed('--users x')] },
  'race:trains': { good: { shownBy: 'test/lobbies/race.test.ts' }, bad: [UNKNOWN, seed('--seed x')] },
  bench: {
    good: { shownBy: 'test/proof/bench/load.test.ts' },
    bad: [UNKNOWN, { words: '--arms 9', says: /^--arms: "9" is none/ }],
  },
  'bench:commands': {
    good: { shownBy: 'test/system/lifecycle.test.ts' },
    bad: [UNKNOWN, { words: '--rounds many', says: /^--rounds many: not a number from 1 to 999\./ }],
  },
  'bench:dev': { good: { shownBy: 'test/system/dev.test.ts' }, bad: [UNKNOWN, NO_WORDS] },
  'bench:trace': {
    good: { words: '--bookings 10', says: /^\| the client has its answer /m, alone: true },
    bad: [UNKNOWN, { words: '--bookings many', says: /^--bookings many: not a number from 1 to 9999\./ }],
  },
  'bench:events': {
    good: { words: '--backlog 10 --seconds 1', says: /^\| at 10 events\/s \| /m, alone: true },
    bad: [UNKNOWN, { words: '--backlog 15', says: /^--backlog: a multiple of 10\./ }],
  },
  'bench:logs': {
    good: { words: '--sizes 10 --rates 5 --seconds 1', says: /^\| 10 \| building /m, alone: true },
    bad: [UNKNOWN, { words: '--rates x', says: /^--rates: "x" is no number/ }],
  },
}

export const COMMANDS: Readonly<Record<string, Command>> = { ...RUNNING, ...DEVELOPING, ...PROOF, ...TOOLS }

export const { scripts: SCRIPTS } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}

export interface Ended {
  code: number
  out: string
  error: string
}

/** In a shell, as in package.json: what `npm run` does, without the half second that npm takes. */
export function npmRun(script: string, words: string | undefined, env: NodeJS.ProcessEnv): Promise<Ended> {
  const PATH = `${join(PACKAGE, 'node_modules/.bin')}:${env['PATH']}`
  return new Promise((resolve) => {
    const child = execFile(
      'sh',
      ['-c', `${SCRIPTS[script]} ${words ?? ''}`],
      { cwd: PACKAGE, env: { ...env, PATH } },
      (_error, out, error) => resolve({ code: child.exitCode ?? -1, out, error }),
    )
  })
}
