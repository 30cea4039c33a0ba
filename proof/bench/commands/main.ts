import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { command, CommandFailure } from '../../../cli/lib/command.js'
import { install, PACKAGE, run } from '../../support/installation.js'
import { median } from '../../support/numbers.js'
import { until } from '../../support/until.js'
import { fillSection } from '../../support/markdown.js'
import { measureStarts, type Starts } from './starts.js'

const USAGE = `npm run bench:commands [-- --rounds N] [--out DIR]

How long npm run status takes to answer, as a person waits for it: where nothing runs, where all is well, and where
MongoDB hangs or is gone. And how long npm start takes, and a call that waits for a killed process. On installations of
its own, which it starts and removes.

  --rounds N     of each (default 9)
  --out DIR      put the figures into DIR/performance.md, at <!-- measured: commands --> and <!-- measured: starts -->`

/** What was in flight has been given up by then. */
const SETTLE_MS = 2000
const FLAGS = { rounds: { type: 'string', default: '9' }, out: { type: 'string' } } as const

await command(USAGE, FLAGS, async ({ rounds, out }) => {
  if (!/^[1-9]\d{0,2}$/.test(rounds)) throw new CommandFailure(`--rounds ${rounds}: not a number from 1 to 999.`)
  const installation = await install()
  const rows: string[] = []
  const measure = async (where: string, says: RegExp): Promise<void> => {
    const [status, npm]: [number[], number[]] = [[], []]
    for (let i = 0; i < Number(rounds); i++) {
      status.push(await timed(says, process.execPath, ['run.js', 'status']))
      npm.push(await timed(says, 'npm', ['run', '-s', 'status']))
    }
    rows.push(`| ${[where, ...[median(status), Math.max(...status), median(npm)].map(seconds)].join(' | ')} |`)
    console.log(rows.at(-1))
  }
  const timed = async (says: RegExp, program: string, words: string[]): Promise<number> => {
    const startedAt = performance.now()
    const { output } = await run(program, words, PACKAGE, installation.env)
    if (!says.test(output)) throw new CommandFailure(`npm run status said something else than ${says}:\n${output}`)
    return performance.now() - startedAt
  }

  try {
    await measure('nothing runs', /^DOWN: the gateway at .* does not answer/m)
    const { code, output } = await installation.cli('start')
    if (code !== 0) throw new CommandFailure(output)
    await measure('all is well', /^OK: /m)
    const [mongod] = await installation.rows('mongod')
    if (!mongod) throw new CommandFailure('PM2 has no mongod.')
    process.kill(mongod.pid, 'SIGSTOP')
    await sleep(SETTLE_MS)
    await measure('MongoDB hangs', /^(DOWN|DEGRADED): /m)
    process.kill(mongod.pid, 'SIGCONT')
    await installation.pm2('stop', 'mongod')
    await until(async () => (await installation.rows('mongod'))[0]?.pid === 0)
    await measure('MongoDB is gone', /^Not running: mongod /m)
  } finally {
    await installation.remove()
  }
  const table = [
    '| `npm run status` | median, s | longest, s | median with npm, s |',
    '| --- | --: | --: | --: |',
    ...rows,
  ]
  const starts = startTable(await measureStarts(Number(rounds)))
  console.log(starts.join('\n'))
  if (out === undefined) return
  await fillSection(join(out, 'performance.md'), 'commands', table.join('\n'))
  await fillSection(join(out, 'performance.md'), 'starts', starts.join('\n'))
})

function startTable({ first, again, outage }: Starts): string[] {
  const rows = Object.entries({
    '`npm start`, the first time: build, new data, migrations': first,
    '`npm start`, nothing to build': again,
    'the one function process killed: a call sent then is answered': outage,
  })
  return [
    '| what a person waits for | median, s | longest, s |',
    '| --- | --: | --: |',
    ...rows.map(([what, ms]) => `| ${[what, seconds(median(ms)), seconds(Math.max(...ms))].join(' | ')} |`),
  ]
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2)
}
