import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import { command, CommandFailure, wholeNumber } from '../../cli/lib/command.js'
import { stopwatch } from '../../cli/lib/stopwatch.js'
import { ATTACKS } from './attacks/all.js'
import { inWords, writeDocs } from './report.js'
import { runSiege } from './run.js'
import { LIMITS } from './verdict.js'

const NAMES = Object.keys(ATTACKS)
const USAGE = `npm run siege -- [--minutes N] [--seed S] [--attacks a,b] [--out DIR] [--json]

Starts a system of its own under the default limits and attacks it from outside, in one way after the other, beside
honest clients. What these wait is compared with right before and right after each attack.

  --minutes N    for all attacks together (default 3); an attack takes 2.5 s at least
  --seed S       a whole number (default: made up, and printed)
  --attacks a,b  only these (default: all)
  --out DIR      put the table into DIR/security.md, at <!-- measured: siege -->
  --json         the report as JSON

Attacks:
${NAMES.map((name) => `  ${name.padEnd(20)}${ATTACKS[name]?.what}`).join('\n')}

Ends with exit code 1 where honest clients waited (p99) ${LIMITS.worse} times as long as without an attack or failed, a process ended,
a worker stays closed, memory, data or logs grew beyond their bounds, something came through that must not, or the
books do not balance. All of it stays on this machine, and nothing is left running.`

await command(
  USAGE,
  {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string' },
    attacks: { type: 'string' },
    out: { type: 'string' },
    json: { type: 'boolean' },
  },
  async (values) => {
    const minutes = Number(values.minutes)
    if (!(minutes > 0 && minutes <= 600)) throw new CommandFailure(`--minutes ${values.minutes} is not from 0 to 600`)
    const seed = wholeNumber('seed', values.seed ?? String(Date.now() % 1_000_000))
    const attacks = values.attacks?.split(',').map((each) => each.trim()) ?? NAMES
    const unknown = attacks.find((each) => !NAMES.includes(each))
    if (unknown !== undefined) throw new CommandFailure(`--attacks: there is no ${unknown}.\n\n${USAGE}`)
    const say = values.json ? () => {} : stopwatch()
    say(`Seed ${seed}`)
    const stop = new AbortController()
    setMaxListeners(0, stop.signal)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
    const report = await runSiege({ minutes, seed, attacks, say, signal: stop.signal }).catch((error: unknown) => {
      if (stop.signal.aborted) return undefined
      throw error
    })
    if (!report) return 130
    console.log(values.json ? JSON.stringify(report, null, 2) : `\n${inWords(report)}`)
    if (values.out !== undefined) {
      const run = `npm run siege -- --minutes ${minutes} --seed ${seed}${values.attacks ? ` --attacks ${values.attacks}` : ''}`
      await writeDocs(report, join(values.out, 'security.md'), { command: run, at: new Date() })
    }
    return report.violations.length === 0 ? 0 : 1
  },
)
