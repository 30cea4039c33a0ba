import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { setMaxListeners } from 'node:events'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { command, CommandFailure, wholeNumber } from '../../cli/lib/command.js'
import { stopwatch } from '../../cli/lib/stopwatch.js'
import { runChaos } from './run.js'
import { FAULT_NAMES, FAULTS, type FaultName } from './schedule.js'
import { showReport } from './report.js'

const USAGE = `npm run chaos -- --minutes N --seed S [--faults a,b] [--out FILE]

Runs the whole system on a replica set of three, with clients that book and pay all the time, and does to it what
happens to systems. An auditor of its own checks all books, all the time and at the end, and what clients were told.

  --minutes N    how long the faults go on, fractions too (default 2)
  --seed S       a whole number; decides which faults come when (default: made up, and printed)
  --faults a,b   only these (default: all)
  --out FILE     where to write the report, as JSON

Faults:
${FAULT_NAMES.map((name) => `  ${name.padEnd(15)}${FAULTS[name]}`).join('\n')}

Ends with exit code 1 where anything was violated, and keeps the logs then. Ctrl-C stops it and leaves nothing running.`

await command(
  USAGE,
  {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string' },
    faults: { type: 'string' },
    out: { type: 'string' },
  },
  async (values) => {
    const minutes = Number(values.minutes)
    if (!(minutes > 0)) throw new CommandFailure(`--minutes ${values.minutes} is not a number above 0`)
    const seed = wholeNumber('seed', values.seed ?? String(Date.now() % 1_000_000))
    const faults = parseFaults(values.faults)

    const say = stopwatch()
    const stop = new AbortController()
    setMaxListeners(0, stop.signal)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (!stop.signal.aborted) say('Stopping')
        stop.abort()
      })
    }

    const directory = await mkdtemp(join(tmpdir(), 'holdfast-chaos-'))
    let failed = true
    try {
      say(`Seed ${seed}, ${minutes} minutes`)
      const report = await runChaos({ minutes, seed, faults, directory, say, signal: stop.signal })
      console.log(`\n${showReport(report)}\n`)
      if (values.out) {
        await mkdir(dirname(values.out), { recursive: true })
        await writeFile(values.out, `${JSON.stringify(report, null, 2)}\n`)
      }
      failed = !report.ok
    } catch (error) {
      failed = !stop.signal.aborted
      if (failed) throw error
      return 130
    } finally {
      if (failed) console.error(`Logs, books and what was done: ${directory} (seed ${seed})`)
      else await rm(directory, { recursive: true, force: true })
    }
    return failed ? 1 : 0
  },
)

function parseFaults(list: string | undefined): FaultName[] {
  if (list === undefined) return FAULT_NAMES
  return list.split(',').map((name) => {
    const known = FAULT_NAMES.find((each) => each === name.trim())
    if (!known) throw new CommandFailure(`--faults: "${name}" is none of ${FAULT_NAMES.join(', ')}`)
    return known
  })
}
