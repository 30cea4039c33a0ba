import { join } from 'node:path'
import { command, CommandFailure } from '../../../cli/lib/command.js'
import { fillSection } from '../../support/markdown.js'
import { startServer } from '../../support/server.js'
import { measureBacklog, type BacklogResult } from './backlog.js'
import { measureLatency, type LatencyResult } from './latency.js'

const USAGE = `npm run bench:events [-- options]

Measures how events are delivered, on a mongod of its own, with the dispatcher in a process of its own:
how fast a backlog empties, beside a bare change stream, and how long an event takes from its commit to its effect.

  --backlog 100000   events that wait when the first subscriber starts
  --seconds 20       of changes, at idle (10 a second) and at 500 a second
  --out DIR          put the figures into DIR/performance.md, at <!-- measured: events -->

Every event must have had its effect once; otherwise the exit code is 1.`

const FLAGS = {
  backlog: { type: 'string', default: '100000' },
  seconds: { type: 'string', default: '20' },
  out: { type: 'string' },
} as const

const PACES = [10, 500]

await command(USAGE, FLAGS, async ({ backlog, seconds, out }) => {
  const count = numberOf('backlog', backlog)
  if (count % 10 !== 0) throw new CommandFailure('--backlog: a multiple of 10.')
  const forSeconds = numberOf('seconds', seconds)
  const server = await startServer(1)
  try {
    const latencies: LatencyResult[] = []
    for (const pace of PACES) latencies.push(await measureLatency(server, pace, forSeconds))
    const drain = await measureBacklog(server, count)
    const text = report(drain, latencies)
    console.log(text)
    if (out !== undefined) await fillSection(join(out, 'performance.md'), 'events', text)
    if (drain.wrong > 0) console.error(`${drain.wrong} effects are missing, or there twice.`)
    return drain.wrong > 0 ? 1 : 0
  } finally {
    await server.stop()
  }
})

function numberOf(flag: string, text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new CommandFailure(`--${flag}: "${text}" is no number\n\n${USAGE}`)
  return Number(text)
}

function report(drain: BacklogResult, latencies: readonly LatencyResult[]): string {
  const perSecond = (rate: number): string => Math.round(rate).toLocaleString('en-US')
  const ms = (value: number): string => value.toFixed(1)
  return [
    `| backlog of ${perSecond(drain.events)} events | events/s |`,
    '| --- | --- |',
    `| a bare change stream, read and dropped | ${perSecond(drain.streamPerSecond)} |`,
    `| delivered in order, a subscriber that only answers | ${perSecond(drain.deliveredPerSecond)} |`,
    `| delivered in order, a subscriber that writes its copy durably for each | ${perSecond(drain.appliedPerSecond)} |`,
    '',
    '| from commit to durable effect | events | p50 ms | p99 ms | max ms |',
    '| --- | --- | --- | --- | --- |',
    ...latencies.map(
      (each) =>
        `| at ${each.perSecond} events/s | ${perSecond(each.events)} | ${ms(each.p50)} | ${ms(each.p99)} | ${ms(each.max)} |`,
    ),
  ].join('\n')
}
