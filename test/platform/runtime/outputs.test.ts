import test from 'ava'
import { pino } from 'pino'
import { platform } from '../../../functions/platform/contract.js'
import { define, type FunctionDefinition } from '../../../platform/runtime/function.js'
import { createMisfits } from '../../../platform/runtime/misfits.js'
import { createTestSystem } from '../../support/system.js'

const spent = 'nothing' as never
const broken = define(platform.shareUse, () => Promise.resolve({ spent, workers: 1 })) as unknown as FunctionDefinition
const input = { worker: 'a'.repeat(24), spent: [] }

test('in development and tests an answer that breaks its contract is an error', async (t) => {
  const system = await createTestSystem(t, { functions: [broken] })
  t.is((await system.refused(platform.shareUse, input, null)).code, 'internal')
})

test('in production its caller gets it, and the log counts', async (t) => {
  const system = await createTestSystem(t, { functions: [broken], env: { NODE_ENV: 'production' } })
  t.deepEqual(await system.run(platform.shareUse, input, null), { spent, workers: 1 })
  t.deepEqual(await system.run(platform.shareUse, input, null), { spent, workers: 1 })
  const told = system.logs.filter(({ msg }) => msg === 'answers break their contract')
  t.is(told.length, 1)
  t.like(told[0], { operation: 'platform.shareUse', count: 1, level: 50 })
})

test('one line a minute and operation, with the count', (t) => {
  const lines: Record<string, unknown>[] = []
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  let nowMs = 0
  const misfits = createMisfits(log, () => nowMs)
  const note = (operation: string) => misfits.note(operation, { requestId: 'r', err: new Error('no') })
  for (let i = 0; i < 100; i++) note('a.one')
  note('a.two')
  nowMs = 60_000
  note('a.one')
  t.deepEqual(
    lines.map(({ operation, count }) => [operation, count]),
    [
      ['a.one', 1],
      ['a.two', 1],
      ['a.one', 101],
    ],
  )
})
