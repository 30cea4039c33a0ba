import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '../../support/server.js'
import { command, CommandFailure } from '../../../cli/lib/command.js'
import { stopwatch } from '../../../cli/lib/stopwatch.js'
import { runRace, type RaceReport } from './run.js'

const USAGE = `npm run race -- [--buyers N] [--tickets N] [--seed S]

Buyers race for tickets: they pay at once, at the last moment, twice, by card, in the browser, cancel while they pay, or
never pay, while the system's processes are killed and Stripe loses replies. Then an auditor holds all collections
against each other, against what Stripe has, and against what the buyers were told.

  --buyers N     (default 1000)
  --tickets N    (default 100)
  --seed S       a whole number; decides what each buyer does and what is killed (default: made up, and printed)
  --at-once N    how many buyers are about at the same time (default 60)

Ends with exit code 1 where anything was violated, and keeps the log then.`

const DIST = join(import.meta.dirname, '../../../dist')
const ORDER_EXPIRES_AFTER_MS = 3000

await command(
  USAGE,
  {
    buyers: { type: 'string', default: '1000' },
    tickets: { type: 'string', default: '100' },
    seed: { type: 'string' },
    'at-once': { type: 'string', default: '60' },
  },
  async (values) => {
    const settings = {
      buyers: whole('buyers', values.buyers),
      tickets: whole('tickets', values.tickets),
      seed: values.seed === undefined ? Date.now() % 1_000_000 : whole('seed', values.seed),
      atOnce: whole('at-once', values['at-once']),
    }
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-race-'))
    const server = await startServer(1)
    let failed = true
    try {
      const report = await runRace({
        ...settings,
        mongodbUri: server.uri('race'),
        dist: DIST,
        directory,
        orderExpiresAfterMs: ORDER_EXPIRES_AFTER_MS,
        say: stopwatch(),
      })
      console.log(inWords(report))
      failed = report.violations.length > 0
      return failed ? 1 : 0
    } finally {
      await server.stop()
      if (failed) console.error(`The log is in ${directory}`)
      else await rm(directory, { recursive: true, force: true })
    }
  },
)

function whole(name: string, value: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new CommandFailure(`--${name} ${value} is not a whole number above 0`)
  return number
}

function inWords({ figures, killed, repeats, violations }: RaceReport): string {
  const counts = Object.entries({ ...figures, 'processes killed': killed, 'requests sent again': repeats })
  return [
    '',
    ...counts.map(([what, count]) => `  ${String(count).padStart(6)}  ${what}`),
    '',
    ...violations.map((each) => `  VIOLATED: ${each}`),
    violations.length === 0 ? 'Nothing was violated.' : `${violations.length} violations.`,
  ].join('\n')
}
