import { join } from 'node:path'
import { command, CommandFailure } from '../../../cli/lib/command.js'
import { fillSection, toMarkdown } from '../../support/markdown.js'
import { tableOf, trace } from './trace.js'

const USAGE = `npm run bench:trace [-- --bookings N] [--out DIR]

Where the time of one booking alone goes: a real npm start, one client, one booking at a time. Every statement that
reaches MongoDB is noted on its way there; what lies between them is our own processes and the ways between them.

  --bookings N   of which the medians are taken, after 3,200 that warm it up (default 200)
  --out DIR      put the table into DIR/performance.md, at <!-- measured: trace -->`

await command(USAGE, { bookings: { type: 'string', default: '200' }, out: { type: 'string' } }, async (flags) => {
  if (!/^[1-9]\d{0,3}$/.test(flags.bookings)) {
    throw new CommandFailure(`--bookings ${flags.bookings}: not a number from 1 to 9999.`)
  }
  const traces = await trace(Number(flags.bookings))
  const table = toMarkdown(tableOf(traces))
  console.log(table)
  if (flags.out !== undefined) await fillSection(join(flags.out, 'performance.md'), 'trace', table)
})
