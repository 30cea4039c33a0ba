import test, { type ExecutionContext } from 'ava'
import type { Socket } from 'socket.io-client'
import { feeds } from '../../functions/feeds/contract.js'
import { watchFeeds } from '../../gateway/feedWatch.js'
import { signToken } from '../../platform/runtime/tokens.js'
import { createTestSystem, type TestSystem } from '../support/system.js'
import { until } from '../../proof/support/until.js'
import { connected, open, startGateway, type TestGateway } from './support.js'

const AT = '2031-01-01T00:00:00.000Z'

/** Two workers before the real functions and a real database; `deaf`: told nothing, by sweeps alone. */
async function start(t: ExecutionContext, { deaf = false } = {}) {
  const system = await createTestSystem(t, { now: () => new Date() })
  const worker = (): Promise<TestGateway> =>
    startGateway(t, {
      overrides: {
        config: { ...system.config, gateway: { ...system.config.gateway, port: 0 } },
        request: (envelope) => system.handle(envelope),
        ...(!deaf && { watchFeeds: watchFeeds(system) }),
      },
    })
  const { userId } = await system.makeUser()
  const token = await signToken({ userId, role: 'user', tokenVersion: 0 }, system.config, system.now())
  return { system, workers: [await worker(), await worker()] as const, userId, token }
}

const append = (system: TestSystem, userId: string, keys: string[]) =>
  system.run(
    feeds.appendToFeed,
    { feed: `user:${userId}`, entries: keys.map((key) => ({ key, name: 'order:updated', data: { key }, at: AT })) },
    null,
  )

/** Everything that the socket is told, from its first packet on. */
function listen(socket: Socket): { seen: string[] } {
  const seen: string[] = []
  socket.onAny((name: string, data: { seq: number; key?: string }) => {
    if (name !== 'operations') seen.push(`${name} ${data.seq}${data.key ? ` ${data.key}` : ''}`)
  })
  return { seen }
}

async function connect(worker: TestGateway, auth: object) {
  const socket = open(worker.port, { auth, autoConnect: false, reconnection: false })
  const { seen } = listen(socket)
  socket.connect()
  await connected(socket)
  return { socket, seen, close: () => socket.disconnect() }
}

for (const deaf of [false, true]) {
  test(`a user's sockets on every worker are told each entry once, in order${deaf ? ', by sweeps alone' : ''}`, async (t) => {
    const { system, workers, userId, token } = await start(t, { deaf })
    const sockets = [await connect(workers[0], { token }), await connect(workers[1], { token })]
    for (const { seen } of sockets) await until(() => seen.length === 1)
    await append(system, userId, ['a', 'b'])
    await append(system, userId, ['b', 'c'])
    for (const { seen, close } of sockets) {
      await until(() => seen.length >= 4)
      t.deepEqual(seen, ['position 0', 'order:updated 1 a', 'order:updated 2 b', 'order:updated 3 c'])
      close()
    }
  })
}

test('whoever comes back to another worker gets what it missed, and then what happens', async (t) => {
  const { system, workers, userId, token } = await start(t)
  const first = await connect(workers[0], { token })
  await until(() => first.seen.length === 1)
  await append(system, userId, ['a'])
  await until(() => first.seen.includes('order:updated 1 a'))
  first.close()
  await append(
    system,
    userId,
    Array.from({ length: 150 }, (_, i) => `missed ${i}`),
  )
  // More than one page, and entries that are appended while it reads.
  const late = Array.from({ length: 150 }, (_, i) => `late ${i}`)
  const appending = Promise.all(late.map((key) => append(system, userId, [key])))
  const second = await connect(workers[1], { token, lastSeq: 1 })
  await appending
  await until(() => second.seen.length === 301)
  t.deepEqual(
    second.seen.map((each) => Number(each.split(' ')[1])),
    Array.from({ length: 301 }, (_, i) => i + 1),
  )
  second.close()
})

test('a seq that the feed has not come to hides nothing; one that is none is refused', async (t) => {
  const { system, workers, userId, token } = await start(t)
  const ahead = await connect(workers[0], { token, lastSeq: 1000 })
  await until(() => ahead.seen.length === 1)
  await append(system, userId, ['a'])
  await until(() => ahead.seen.length === 2)
  t.deepEqual(ahead.seen, ['position 0', 'order:updated 1 a'])
  ahead.close()
  for (const lastSeq of [-1, 1.5, '1', {}]) {
    const error = await t.throwsAsync(connect(workers[0], { token, lastSeq }))
    t.is((error as Error & { data: { code: string } }).data.code, 'invalid_input')
  }
})
