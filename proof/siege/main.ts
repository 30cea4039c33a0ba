import { command, CommandFailure } from '../../cli/lib/command.js'
import { stopwatch } from '../../cli/lib/stopwatch.js'
import { table } from '../../cli/lib/table.js'
import { ATTACKS } from './attacks.js'
import { runSiege, type SiegeReport } from './run.js'

const NAMES = Object.keys(ATTACKS)
const USAGE = `npm run siege -- [--minutes N] [--seed S] [--attacks a,b] [--json]

Starts a system of its own and attacks it from outside, one way after the other, beside honest clients.

  --minutes N    for all attacks together (default 3)
  --seed S       a whole number (default: made up, and printed)
  --attacks a,b  only these (default: all)
  --json         the report as JSON

Attacks:
${NAMES.map((name) => `  ${name.padEnd(20)}${ATTACKS[name]?.what}`).join('\n')}

Ends with exit code 1 where a process ended, a worker stays closed, or honest clients waited (p99) over five times as long
as without an attack. All of it stays on this machine, and nothing is left running.`

await command(
  USAGE,
  {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string' },
    attacks: { type: 'string' },
    json: { type: 'boolean' },
  },
  async (values) => {
    const minutes = Number(values.minutes)
    if (!(minutes > 0 && minutes <= 600)) throw new CommandFailure(`--minutes ${values.minutes} is not from 0 to 600`)
    const seed = Number(values.seed ?? Date.now() % 1_000_000)
    if (!Number.isSafeInteger(seed) || seed < 0) throw new CommandFailure(`--seed ${values.seed} is not a whole number`)
    const attacks = values.attacks?.split(',') ?? NAMES
    const unknown = attacks.find((each) => !NAMES.includes(each))
    if (unknown !== undefined) throw new CommandFailure(`--attacks: there is no ${unknown}.\n\n${USAGE}`)
    const say = values.json ? () => {} : stopwatch()
    say(`Seed ${seed}`)
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
    const report = await runSiege({ minutes, seed, attacks, say, signal: stop.signal })
    console.log(values.json ? JSON.stringify(report, null, 2) : `\n${inWords(report)}`)
    return report.violations.length === 0 ? 0 : 1
  },
)

function inWords({ rows, violations }: SiegeReport): string {
  const header = [
    'attack',
    'honest',
    'p50 ms',
    'p99 ms',
    'honest failed',
    'restarts',
    'MB',
    'log MB',
    'the attacker got',
  ]
  const counts = (of: Record<string, number>): string =>
    Object.entries(of)
      .sort(([, a], [, b]) => b - a)
      .slice(0, 4)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  const lines = rows.map((row) => [
    row.attack,
    String(row.requests),
    row.p50Ms.toFixed(0),
    row.p99Ms.toFixed(0),
    counts(row.failed),
    String(row.restarts),
    row.memoryMb.toFixed(0),
    row.logMb.toFixed(1),
    counts(row.outcomes),
  ])
  const verdict = violations.length === 0 ? 'Nothing went down.' : violations.join('\n')
  return `${table(header, lines)}\n\n${verdict}`
}
