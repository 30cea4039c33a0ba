import { readFileSync } from 'node:fs'
import test from 'ava'
import { loadContracts } from '../../../platform/runtime/tree.js'
import { blockedBy } from '../../../proof/bounds/blocked.js'
import { inWords, MOST_BLOCKED_MS } from '../../../proof/bounds/report.js'
import { bytesOf, jsonSchema, largestOf, largestValue } from '../../../proof/support/largest.js'

const page = readFileSync(new URL('../../../docs/limits.md', import.meta.url), 'utf8')

test('docs/limits.md names every operation, and none that there is not (npm run bounds -- --out docs)', async (t) => {
  const named = [...page.matchAll(/^\| (\w+) +\|/gm)].map(([, name]) => name).filter((name) => name !== 'operation')
  t.deepEqual(named.sort(), [...(await loadContracts()).keys()].sort())
})

test('no operation in it blocks its process for longer than may be', (t) => {
  const blocked = page
    .split('\n')
    .filter((line) => /^\| [a-z]\w+ +\|/.test(line) && !line.startsWith('| operation'))
    .map((line) => Number(line.split('|')[5]))
  t.true(blocked.length > 100)
  t.true(blocked.every((ms) => ms >= 0 && ms <= MOST_BLOCKED_MS))
})

test('the largest value of a contract is no larger than the largest that there may be', async (t) => {
  for (const { name, input } of (await loadContracts()).values()) {
    const shape = jsonSchema(input, 'input')
    // Those of functions for each other may have no end, or one that their callers stay far below.
    if (largestOf(shape) > 2_000_000) continue
    t.true(bytesOf(largestValue(shape)) <= largestOf(shape), name)
  }
  t.is(largestOf({ type: 'array', maxItems: 3, items: { type: 'string', maxLength: 2 } }), 2 + 3 * 15)
  t.is(largestOf({ type: 'object', properties: { a: { enum: ['x', 'long'] } } }), 2 + 5 + 6)
  t.deepEqual(largestValue({ type: 'object', properties: { a: { type: 'string', maxLength: 2 } } }), { a: '""' })
})

test('work that gives others no turn is seen, work that waits is not', async (t) => {
  let turns = 0
  const waits = await blockedBy(async () => {
    for (; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
    return 'done'
  })
  t.is(waits.value, 'done')
  const spins = await blockedBy(() => {
    // Both: threads that compile or collect use the process's CPU, too.
    const { user } = process.cpuUsage()
    const untilMs = performance.now() + 50
    while (process.cpuUsage().user - user < 50_000 || performance.now() < untilMs);
    return Promise.resolve()
  })
  t.true(spins.blockedMs >= 49)
  t.true(spins.tookMs >= spins.blockedMs)
})

test('the report says which are over the limit', (t) => {
  const bound = {
    operation: 'slowOne',
    internal: false,
    inputBytes: Infinity,
    answer: 'ok',
    answerBytes: 9,
    tookMs: 300,
  }
  t.regex(inWords([{ ...bound, blockedMs: MOST_BLOCKED_MS + 1 }]), /OVER 200 ms: slowOne, 201 ms/)
  t.regex(inWords([{ ...bound, blockedMs: MOST_BLOCKED_MS }]), /None blocks for over 200 ms/)
})
