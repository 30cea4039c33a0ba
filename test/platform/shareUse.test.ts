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
