import { command } from '../../cli/lib/command.js'
import { FLAGS, parseOptions, USAGE } from './options.js'
import { writeReport } from './report/document.js'
import { printSummary } from './report/tables.js'
import { run } from './run.js'

await command(USAGE, FLAGS, async (flags) => {
  const options = parseOptions(flags)
  const results = await run(options)
  printSummary(results)
  if (options.out) await writeReport(results, options.out)
  const anomalies = [...results.samples.flatMap((sample) => sample.anomalies), ...(results.growth?.anomalies ?? [])]
  for (const anomaly of anomalies.slice(0, 20)) console.error(`The books are wrong: ${anomaly}`)
  return anomalies.length === 0 ? 0 : 1
})
