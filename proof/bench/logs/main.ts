import { join } from 'node:path'
import { command, CommandFailure } from '../../../cli/lib/command.js'
import { stopwatch } from '../../../cli/lib/stopwatch.js'
import { fillSection } from '../../support/markdown.js'
import { startServer } from '../../support/server.js'
import { fill } from './fill.js'
import { measureBuild, measureLatency, measureReads, type Quantiles } from './measure.js'
import { startSystem } from './system.js'

const USAGE = `npm run bench:logs -- [--sizes 1000,1000000] [--rates 5,500] [--seconds N] [--out DIR]

Calendars and messages on logs, on a MongoDB of its own: how long it takes from a command's answer until the view has it,
how fast views are built from their logs, and what reading costs with short and long logs. Prints Markdown tables.

  --sizes a,b    entries in each log (default 1000,1000000)
  --rates a,b    commands a second, four of five messages, the others invitations (default 5,500)
  --seconds N    how long each rate is kept up (default 20)
  --out DIR      put the tables into DIR/logs.md, at <!-- measured: logs -->`

const FLAGS = {
  sizes: { type: 'string', default: '1000,1000000' },
  rates: { type: 'string', default: '5,500' },
  seconds: { type: 'string', default: '20' },
  out: { type: 'string' },
} as const
const READS = 1000

await command(USAGE, FLAGS, async (values) => {
  const numbers = (flag: string, text: string): number[] =>
    text.split(',').map((each) => {
      if (!/^[1-9]\d{0,7}$/.test(each.trim())) throw new CommandFailure(`--${flag}: "${each}" is no number\n\n${USAGE}`)
      return Number(each)
    })
  const rates = numbers('rates', values.rates)
  const sizes = numbers('sizes', values.sizes)
  const [seconds = 20] = numbers('seconds', values.seconds)
  const say = stopwatch()
  const server = await startServer(1)
  const lines: string[] = []
  try {
    lines.push(
      '| commands a second | reached | failed | command p50, p99 | append to view p50, p99 |',
      '| --- | --- | --- | --- | --- |',
    )
    for (const perSecond of rates) {
      const system = await startSystem(server.uri(`rate${perSecond}`))
      const { view, command: own, reachedPerSecond, failed } = await measureLatency(system, { perSecond, seconds })
      await system.close()
      say(`${perSecond}/s: append to view p50 ${ms(view.p50)}`)
      lines.push(`| ${perSecond} | ${reachedPerSecond.toFixed(0)} | ${failed} | ${both(own)} | ${both(view)} |`)
    }
    lines.push('', '| entries in each log | what | entries/s, or p50, p99 |', '| --- | --- | --- |')
    for (const size of sizes) {
      const system = await startSystem(server.uri(`size${size}`))
      const { db } = system.databases.connection('messages')
      if (!db) throw new Error('not connected')
      await fill(db, size)
      say(`${size} entries written`)
      for (const { name, perSecond } of await measureBuild(system)) {
        lines.push(`| ${size} | building ${name} | ${perSecond.toFixed(0)}/s |`)
      }
      for (const { what, ms: taken } of await measureReads(system, READS)) {
        lines.push(`| ${size} | ${what} | ${both(taken)} |`)
      }
      say(`${size} entries measured`)
      await system.close()
    }
    console.log(lines.join('\n'))
    if (values.out !== undefined) await fillSection(join(values.out, 'logs.md'), 'logs', lines.join('\n'))
  } finally {
    await server.stop()
  }
})

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`
}

function both({ p50, p99 }: Quantiles): string {
  return `${ms(p50)}, ${ms(p99)}`
}
