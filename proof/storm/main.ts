import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import { command, CommandFailure, wholeNumber } from '../../cli/lib/command.js'
import { stopwatch } from '../../cli/lib/stopwatch.js'
import { inWords, writeDocs } from './report.js'
import { runStorm } from './run.js'

const USAGE = `npm run storm -- [--minutes M] [--seed S] [--clients N] [--bookings N] [--out DIR] [--json]

Starts a system of its own. Clients of @holdfast/client book, post and follow feeds, while gateway workers are killed and
reloaded, connections are cut, the network is away for 30 s and tokens expire. Then what each client was told is
compared with the books.

  --minutes M    how long they book (default 3)
  --seed S       a whole number (default: made up, and printed)
  --clients N    users with a client each (default 100)
  --bookings N   of all together (default 10000)
  --out DIR      put the figures into DIR/client.md, at <!-- measured: storm -->
  --json         the report as JSON

Ends with exit code 1 where an acknowledged booking is not in the books exactly once, one is there that was not
acknowledged, a followed feed has a gap or is out of order, a client is signed out, or the books do not balance. All
of it stays on this machine, and nothing is left running.`

await command(
  USAGE,
  {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string' },
    clients: { type: 'string', default: '100' },
    bookings: { type: 'string', default: '10000' },
    out: { type: 'string' },
    json: { type: 'boolean' },
  },
  async (values) => {
    const minutes = Number(values.minutes)
    if (!(minutes > 0 && minutes <= 600)) throw new CommandFailure(`--minutes ${values.minutes} is not from 0 to 600`)
    const seed = wholeNumber('seed', values.seed ?? String(Date.now() % 1_000_000))
    const clients = wholeNumber('clients', values.clients)
    const bookings = wholeNumber('bookings', values.bookings)
    if (clients < 1 || bookings < clients) throw new CommandFailure('--clients: at least 1, each with a booking')
    const say = values.json ? () => {} : stopwatch()
    say(`Seed ${seed}`)
    const stop = new AbortController()
    setMaxListeners(0, stop.signal)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
    const report = await runStorm({ minutes, seed, clients, bookings, say, signal: stop.signal }).catch(
      (error: unknown) => {
        if (stop.signal.aborted) return undefined
        throw error
      },
    )
    if (!report) return 130
    console.log(values.json ? JSON.stringify(report, null, 2) : `\n${inWords(report)}`)
    if (values.out !== undefined) {
      const run = `npm run storm -- --minutes ${minutes} --seed ${seed} --clients ${clients} --bookings ${bookings}`
      await writeDocs(report, join(values.out, 'client.md'), { command: run, at: new Date() })
    }
    return report.violations.length === 0 ? 0 : 1
  },
)
