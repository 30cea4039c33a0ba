import { setMaxListeners } from 'node:events'
import { command } from '../../cli/lib/command.js'
import { stopwatch } from '../../cli/lib/stopwatch.js'
import { FLAGS, parseOptions, USAGE } from './options.js'
import { writeReport } from './report/document.js'
import { printSummary } from './report/tables.js'
import { run } from './run.js'

await command(USAGE, FLAGS, async (flags) => {
  const options = parseOptions(flags)
  // PM2's daemon outlives a Ctrl-C: whatever was started is stopped first.
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
  const results = await run(options, stopwatch(), stop.signal).catch((error: unknown) => {
    if (stop.signal.aborted) return undefined
    throw error
  })
  if (!results) return 130
  printSummary(results)
  if (options.out) await writeReport(results, options.out)
  const anomalies = [
    ...[...results.samples, ...results.instances].flatMap((each) => each.anomalies),
    ...(results.growth?.anomalies ?? []),
  ]
  for (const anomaly of anomalies.slice(0, 20)) console.error(`The books are wrong: ${anomaly}`)
  return anomalies.length === 0 ? 0 : 1
})
