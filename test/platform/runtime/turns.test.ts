import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { z } from 'zod'
import { loadConfig } from '../../../config/index.js'
import { defineContract, operation } from '../../../platform/contract/contract.js'
import { define, type FunctionDefinition } from '../../../platform/runtime/function.js'
import { createLanes } from '../../../platform/runtime/lanes.js'
import { slicesOf } from '../../../platform/runtime/slices.js'
import { createSystem, type System } from '../../../platform/runtime/system.js'
import type { Envelope } from '../../../platform/runtime/transport.js'
import { until } from '../../../proof/support/until.js'

const spec = {
  summary: 'Ends when the test says so.',
  input: z.strictObject({}),
  output: z.object({}),
  errors: [],
  deadline: 'quick',
  idempotent: true,
} as const
const tests = defineContract('tests', {
  hold: operation({ ...spec, access: 'user' }),
  step: operation({ ...spec, access: 'internal' }),
})

function startSystem(t: ExecutionContext, functions: FunctionDefinition[], env: Record<string, string> = {}): System {
  const config = loadConfig({
    NODE_ENV: 'test',
    AUTH_SECRET: 'the secret of tests that signs tokens',
    CLUSTER_SECRET: 'the secret of tests that signs calls',
    ...env,
  })
  const system = createSystem({ config, log: pino({ level: 'silent' }), functions })
  t.teardown(() => system.close())
  return system
}

/** A function that holds every call until it is released, and tells who was begun. */
function holding(op: (typeof tests)['hold'] = tests.hold) {
  const begun: string[] = []
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const fn = define(op, async (ctx) => {
    begun.push(ctx.caller?.userId.slice(0, 1) ?? 'nobody')
    await released
    return {}
  })
  return { begun, release: () => release(), fn: fn as FunctionDefinition }
}

const envelopeBy = (user: string | null, over: Partial<Envelope> = {}): Envelope => ({
  operation: 'tests.hold',
  input: {},
  caller: user === null ? null : { userId: user.repeat(24), role: 'user' },
  requestId: 'r',
  ttlMs: 60_000,
  ...over,
})

test('one user’s hundred calls do not delay another’s one', async (t) => {
  const { begun, release, fn } = holding()
  const system = startSystem(t, [fn])
  const many = Array.from({ length: 100 }, () => system.handle(envelopeBy('a')))
  const one = system.handle(envelopeBy('b'))
  await until(() => begun.includes('b'))
  t.deepEqual(begun, [...Array.from({ length: 8 }, () => 'a'), 'b'])
  release()
  t.true((await one).ok)
  t.true((await Promise.all(many)).every(({ ok }) => ok))
})

test('who sends more than can wait is refused at once, and told when to send again', async (t) => {
  const { release, fn } = holding()
  const system = startSystem(t, [fn], { CALLS_PER_USER: '1' })
  const taken = Array.from({ length: 51 }, () => system.handle(envelopeBy('a')))
  const refused = await system.handle(envelopeBy('a'))
  t.false(refused.ok)
  if (!refused.ok) {
    t.is(refused.error.code, 'rate_limited')
    t.true(refused.error.retryable)
    t.deepEqual(refused.error.details, { retryAfterMs: 1000 })
  }
  release()
  t.true((await Promise.all(taken)).every(({ ok }) => ok))
})

test('calls of the system, of admins, between functions, and in load tests do not wait for turns', async (t) => {
  const user = { userId: 'a'.repeat(24), role: 'user' } as const
  for (const [op, caller, env] of [
    [tests.hold, null, {}],
    [tests.hold, { userId: 'a'.repeat(24), role: 'admin' }, {}],
    [tests.step, user, {}],
    [tests.hold, user, { RATE_LIMIT_PER_SECOND: '0' }],
  ] as const) {
    const { begun, release, fn } = holding(op)
    const system = startSystem(t, [fn], env)
    const envelope = envelopeBy('a', { caller, operation: `tests.${op.name}` })
    const calls = Array.from({ length: 20 }, () => system.handle(envelope))
    t.is(begun.length, 20)
    release()
    await Promise.all(calls)
  }
})

test('a call whose deadline has passed, or whose caller has left, is not begun', async (t) => {
  const { begun, release, fn } = holding()
  const system = startSystem(t, [fn], { CALLS_PER_USER: '1' })
  const late = await system.handle(envelopeBy('b', { ttlMs: 0 }))
  const abandoned = await system.handle(envelopeBy('c'), () => false)
  let wanted = true
  const first = system.handle(envelopeBy('a'))
  const second = system.handle(envelopeBy('a'), () => wanted)
  const third = system.handle(envelopeBy('a', { ttlMs: 1 }))
  wanted = false
  const expired = await third
  release()
  t.true((await first).ok)
  for (const result of [late, abandoned, await second, expired]) {
    t.is(result.ok ? 'ok' : result.error.code, 'deadline_exceeded')
  }
  t.deepEqual(begun, ['a'])
})

test('a lane whose calls end at once leaves a turn to others between them', async (t) => {
  const lanes = createLanes({ atOnce: 1, waiting: 1000, full: () => new Error('full') })
  const order: string[] = []
  const many = Array.from({ length: 100 }, () => lanes.run('a', () => Promise.resolve(order.push('a'))))
  setImmediate(() => order.push('somebody else'))
  await Promise.all(many)
  t.true(order.indexOf('somebody else') <= 2, `after ${order.indexOf('somebody else')} calls`)
})

test('long work is made in slices, and ends when nobody waits for it', async (t) => {
  const items = Array.from({ length: 10 }, (_, i) => i)
  const seen: (readonly number[])[] = []
  let turns = 0
  setImmediate(() => turns++)
  for await (const slice of slicesOf({ isWanted: () => true }, items, 4)) seen.push(slice)
  t.deepEqual(seen, [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9],
  ])
  t.is(turns, 1)
  await t.throwsAsync(
    async () => {
      for await (const slice of slicesOf({ isWanted: () => seen.length < 4 }, items, 4)) seen.push(slice)
    },
    { message: /Nobody waits/ },
  )
  t.is(seen.length, 4)
})
