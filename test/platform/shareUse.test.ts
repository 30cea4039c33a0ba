import { setMaxListeners } from 'node:events'
import test from 'ava'
import { platform } from '../../functions/platform/contract.js'
import { createLimits } from '../../gateway/limits.js'
import shareUse from '../../functions/platform/internal/shareUse.js'
import { createTestSystem } from '../support/system.js'

test('what a user spends at one worker counts at the others, once', async (t) => {
  const { run, newId } = await createTestSystem(t, { functions: [shareUse] })
  const workers = [newId(), newId()] as const
  const limits = [createLimits(10, () => 1000), createLimits(10, () => 1000)] as const
  const exchange = async (i: 0 | 1) => {
    const spent = [...limits[i].takeSpent()].map(([account, weight]) => ({ account, weight }))
    const others = await run(platform.shareUse, { worker: workers[i], spent }, null)
    limits[i].addSpent(others.spent.map(({ account, weight }) => [account, weight] as const))
    return others.spent.length
  }
  await exchange(0)
  await exchange(1)
  const sockets = limits.map((each) => each.admit('10.0.0.1'))
  for (const socket of sockets) socket?.signedIn('ada')
  // Three sockets' worth of a burst, at the first worker.
  for (let i = 0; i < 5; i++) {
    const another = limits[0].admit('10.0.0.1')
    another?.signedIn('ada')
    while (another?.take(false) === 0);
  }
  t.true((sockets[0]?.take(false) ?? 0) > 0)
  t.is(sockets[1]?.take(false), 0, 'not known there yet')
  await exchange(0)
  t.true((await exchange(1)) > 0)
  t.true((sockets[1]?.take(false) ?? 0) > 0)
  t.is(await exchange(1), 0)
})

test('of several workers each lets its part of a user’s calls through', async (t) => {
  const { run, newId, clock } = await createTestSystem(t, { functions: [shareUse] })
  const [one, two] = [newId(), newId()]
  const ask = async (worker: string) => (await run(platform.shareUse, { worker, spent: [] }, null)).workers
  t.is(await ask(one), 1)
  t.is(await ask(two), 2)
  t.is(await ask(one), 2)

  const limits = createLimits(100, () => 1000)
  const socket = limits.admit('10.0.0.1')
  socket?.signedIn('ada')
  const turns = socket?.turns()
  const { signal } = new AbortController()
  setMaxListeners(0, signal)
  const enter = async (count: number): Promise<number> => {
    let entered = 0
    for (let i = 0; i < count; i++) void turns?.enter(1, signal).then((end) => (entered += end ? 1 : 0))
    await new Promise((resolve) => setImmediate(resolve))
    return entered
  }
  limits.shareTurns(2)
  t.is(await enter(30), 10, 'half of a fifth of the rate')

  clock.advance(31_000)
  t.is(await ask(one), 1, 'the other one is gone')
})
