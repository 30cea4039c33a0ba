import { join } from 'node:path'
import { startServer } from '../../support/server.js'
import { command, CommandFailure } from '../../../cli/lib/command.js'
import { stopwatch } from '../../../cli/lib/stopwatch.js'
import { fillSection } from '../../support/markdown.js'
import { runRace, type RaceReport } from './run.js'

const USAGE = `npm run race:logs -- [--users N] [--commands N] [--minutes N] [--seed S] [--out DIR]

Users talk and book as fast as they can over sockets that come and go, while the process of the projections is killed
and started again and again. Then calendars, message boxes, feeds and balances are compared with what a model of its own
makes of the logs.

  --users N      default 200
  --commands N   default 50000
  --minutes N    ends then, however many commands were sent (default 60)
  --seed S       a whole number; decides who does what (default: made up, and printed)
  --out DIR      put what it prints at its end into DIR/logs.md, at <!-- measured: race -->

Ends with exit code 1 where anything differs.`

const FLAGS = {
  users: { type: 'string', default: '200' },
  commands: { type: 'string', default: '50000' },
  minutes: { type: 'string', default: '60' },
  seed: { type: 'string' },
  out: { type: 'string' },
} as const
const DISCOVERY_PORT = 12_900

await command(USAGE, FLAGS, async (values) => {
  const whole = (flag: string, text: string): number => {
    const value = Number(text)
    if (!Number.isSafeInteger(value) || value < 2)
      throw new CommandFailure(`--${flag} ${text} is not a whole number above 1`)
    return value
  }
  const seed = whole('seed', values.seed ?? String(2 + (Date.now() % 1_000_000)))
  const users = whole('users', values.users)
  const commands = whole('commands', values.commands)
  const maxSeconds = 60 * whole('minutes', values.minutes)
  const say = stopwatch()
  say(`Seed ${seed}`)
  const server = await startServer(1)
  try {
    const report = await runRace({
      uri: server.uri('race'),
      discoveryPort: DISCOVERY_PORT + (process.pid % 1000),
      users,
      commands,
      maxSeconds,
      seed,
      liveFromMs: 500,
      liveToMs: 8000,
      say,
    })
    const told = inWords(report, seed)
    console.log(told)
    const typed = `$ npm run race:logs -- --users ${users} --commands ${commands} --seed ${seed}`
    if (values.out !== undefined)
      await fillSection(join(values.out, 'logs.md'), 'race', `\`\`\`text\n${typed}\n${told}\n\`\`\``)
    return report.violations.length === 0 ? 0 : 1
  } finally {
    await server.stop()
  }
})

function inWords(report: RaceReport, seed: number): string {
  const { commands, ok, seconds, kills, violations } = report
  const refused = Object.entries(report.refused)
    .sort(([, a], [, b]) => b - a)
    .map(([code, count]) => `${code} ${count}`)
  return [
    '',
    `seed ${seed}: ${commands} commands in ${seconds.toFixed(0)} s (${(commands / seconds).toFixed(0)}/s), ${ok} ok`,
    `refused: ${refused.join(', ') || 'none'}`,
    `projections killed ${kills} times; all views and feeds complete ${report.settleSeconds.toFixed(1)} s after the last command`,
    `logs: ${report.bookingEntries} entries of bookings, ${report.messageEntries} of messages (${report.messages} messages)`,
    `sockets heard ${report.heard} events over ${report.reconnects} reconnections; calendars list ${report.calendarItems} items`,
    ...violations.slice(0, 30).map((each) => `  ${each}`),
    violations.length === 0 ? 'No violation.' : `${violations.length} violations.`,
  ].join('\n')
}
