import test from 'ava'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { boundLogFiles } from '../../../platform/app/logFiles.js'
import { cut } from '../../../platform/lib/log.js'
import { until } from '../../../proof/support/until.js'

test('log files over their size are set aside, one older is kept, others are left alone; two do it at once', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-logs-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const size = (name: string): number => statSync(join(directory, name)).size
  const write = (name: string, bytes: number): void => writeFileSync(join(directory, name), 'x'.repeat(bytes))
  write('gateway-out.log', 2000)
  write('gateway-out.log.1', 5)
  write('users-error-3.log', 2000)
  write('users-out.log', 900)
  write('theirs-out.log', 2000)
  const options = { directory, apps: ['gateway', 'users'], maxBytes: 1000, log: pino({ level: 'silent' }), everyMs: 5 }
  const both = [boundLogFiles(options), boundLogFiles(options)]
  t.teardown(() => both.forEach((each) => each.stop()))
  await until(() => size('gateway-out.log') === 0 && size('users-error-3.log') === 0)
  await until(() => !readdirSync(directory).some((name) => name.endsWith('.lock')))
  t.is(size('gateway-out.log.1'), 2000)
  t.is(size('users-out.log'), 900)
  t.is(size('theirs-out.log'), 2000)
})

test('what is logged is cut', (t) => {
  const line = cut({ origin: 'o'.repeat(15_000), list: Array<number>(1000).fill(1), deep: [[[[['deep']]]]] })
  t.true(JSON.stringify(line).length < 1000)
  t.is((cut({ stack: 's'.repeat(3000) }) as { stack: string }).stack.length, 3000)
  const error = new Error('kept for its serializer')
  t.is((cut({ err: error }) as { err: Error }).err, error)
})
