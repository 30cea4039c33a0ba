import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { command, CommandFailure, wholeNumber } from '../../../cli/lib/command.js'
import { stopwatch } from '../../../cli/lib/stopwatch.js'
import type { FanOut } from './fanout.js'
import { runRace, type RaceReport } from './run.js'

const USAGE = `npm run race:trains -- [--clients N] [--seats N] [--seed S] [--kill-every MS] [--rush MS] [--out FILE]

Clients in 4 lobbies of 4 trains race for the seats, some in groups, over 2 gateway workers, while functions, gateway
workers and the Redis are killed. Then what each client was told is held against the books; and messages to a room are
timed, beside a socket.io server that does nothing else.

  --clients N      (default 2000)
  --seats N        of all trains together (default 500)
  --seed S         a whole number; decides who goes in a group, and what is killed when (default: made up, and printed)
  --kill-every MS  between two kills; 0: nothing is killed (default 2000)
  --rush MS        within which all of them ask (default 25000)
  --out FILE       where to write the report, as JSON

Ends with exit code 1 where anything was violated.`

await command(
  USAGE,
  {
    clients: { type: 'string', default: '2000' },
    seats: { type: 'string', default: '500' },
    seed: { type: 'string' },
    'kill-every': { type: 'string', default: '2000' },
    rush: { type: 'string', default: '25000' },
    out: { type: 'string' },
  },
  async (values) => {
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => stop.abort(new CommandFailure('Interrupted.')))
    }
    const report = await runRace({
      interrupt: stop.signal,
      clients: wholeNumber('clients', values.clients),
      seats: wholeNumber('seats', values.seats),
      seed: values.seed === undefined ? Date.now() % 1_000_000 : wholeNumber('seed', values.seed),
      killEveryMs: wholeNumber('kill-every', values['kill-every']),
      rushMs: wholeNumber('rush', values.rush),
      say: stopwatch(),
    })
    console.log(`\n${inWords(report)}\n`)
    if (values.out) {
      await mkdir(dirname(values.out), { recursive: true })
      await writeFile(values.out, `${JSON.stringify(report, null, 2)}\n`)
    }
    return report.violations.length > 0 ? 1 : 0
  },
)

function inWords({ seed, clients, seats, sold, bookings, tookMs, kills, fanOut, violations }: RaceReport): string {
  const row = (name: string, { messages, members, p50Ms, p99Ms }: FanOut): string =>
    `  ${name.padEnd(26)}p50 ${p50Ms} ms, p99 ${p99Ms} ms (${messages} messages to ${members})`
  const killed = Object.entries(kills).map(([name, count]) => `${name} ${count}`)
  return [
    `Seed ${seed}: ${clients} clients, ${sold} of ${seats} seats sold, ${bookings.started} bookings: ${bookings.confirmed} confirmed, ${bookings.rejected} rejected; ${Math.round(tookMs / 1000)} s`,
    `Killed: ${killed.join(', ') || 'nothing'}`,
    'From commit to the message at the last member of the room:',
    row('idle', fanOut.idle),
    row('in the race', fanOut.race),
    row('bare socket.io, idle', fanOut.bareIdle),
    row('bare socket.io, as many', fanOut.bareRace),
    violations.length === 0
      ? 'No violation.'
      : `${violations.length} violations:\n${violations.slice(0, 50).join('\n')}`,
  ].join('\n')
}
