import test from 'ava'
import { Redis } from 'ioredis'
import { bookings } from '../../../functions/bookings/contract.js'
import { platform } from '../../../functions/platform/contract.js'
import { trains } from '../../../functions/trains/contract.js'
import { caches, memoryStore } from '../../../platform/runtime/cache.js'
import { CACHE_MAX_AGE_MS } from '../../../platform/runtime/cacheStore.js'
import { hasRedis, startRedis } from '../../support/redis.js'
import { createTestSystem, type TestSystem } from '../../support/system.js'
import { until } from '../../../proof/support/until.js'
import { bookSeats, makeTrain } from '../../trains/support.js'

const figuresOf = (system: TestSystem) => system.use(caches).figures
const seatsOf = async (system: TestSystem, trainId: string) =>
  (await system.run(trains.getTrain, { trainId })).availableSeats

test('memory keeps a value until it is a second old, counted from before its load, or until it is dropped', async (t) => {
  let nowMs = 0
  const store = memoryStore(() => nowMs)
  const expiry = await store.begin('a')
  t.true((expiry as number) <= CACHE_MAX_AGE_MS)
  nowMs = 500
  await store.set('a', '1', expiry)
  t.is(await store.get('a'), '1')
  nowMs = CACHE_MAX_AGE_MS
  t.is(await store.get('a'), undefined)
  await store.set('b', '2', await store.begin('b'))
  await store.drop(['b'])
  t.is(await store.get('b'), undefined)
})

test('reads of a train hit the cache; what changes it is seen at once where it was changed', async (t) => {
  const system = await createTestSystem(t)
  const trainId = await makeTrain(system, { seats: 5 })
  const before = { ...figuresOf(system) }
  t.is(await seatsOf(system, trainId), 5)
  // More than one, so that a slow machine that takes a second between two has a hit too.
  for (let i = 0; i < 20; i++) await seatsOf(system, trainId)
  t.true(figuresOf(system).hits > before.hits)
  await bookSeats(system, await system.makeUser({ balance: 9000 }), trainId, ['Ada', 'Alan'])
  await until(async () => (await seatsOf(system, trainId)) === 3)
  const { checks } = await system.run(platform.getStatus, { domain: 'trains' }, null)
  t.regex(
    checks.find(({ name }) => name === 'cache')?.detail ?? '',
    /^in memory, \d+ entries; \d+ hits, .* hit ratio 0\.\d+$/,
  )
})

test('an event of another process drops a cached train', async (t) => {
  const system = await createTestSystem(t)
  const trainId = await makeTrain(system, { seats: 5 })
  await seatsOf(system, trainId)
  const { misses } = figuresOf(system)
  await system.run(
    trains.dropCachedTrain,
    {
      eventId: system.newId(),
      type: 'booking:committed',
      aggregate: { type: 'booking', id: system.newId() },
      version: 2,
      payload: { trainId },
      createdAt: '2031-01-01T00:00:00.000Z',
    },
    null,
  )
  await seatsOf(system, trainId)
  t.is(figuresOf(system).misses, misses + 1)
})

test('a booking decides on the database, whatever the cache says', async (t) => {
  const system = await createTestSystem(t)
  const trainId = await makeTrain(system, { seats: 1 })
  const forged = { ...(await system.run(trains.getTrain, { trainId })), availableSeats: 100, pricePerSeat: 0 }
  const cache = system.use(caches).open('train')
  await cache.drop([trainId])
  await cache.read(trainId, () => Promise.resolve(forged))
  const buyer = await system.makeUser({ balance: 9000 })
  t.like(await bookSeats(system, buyer, trainId, ['Ada', 'Alan']), { state: 'CANCELLED', reason: 'seats_unavailable' })
  await cache.read(trainId, () => Promise.resolve(forged))
  t.like(await bookSeats(system, buyer, trainId, ['Ada']), { state: 'COMMITTED', cost: 1000 })
})

if (!hasRedis) {
  test('Redis: skipped, this machine has no redis-server', (t) => t.pass())
} else {
  test('Redis: processes share what is cached, and what is dropped', async (t) => {
    const [redis] = await startRedis(t)
    const one = await createTestSystem(t, { env: { REDIS_URL: redis?.url ?? '' } })
    const other = await createTestSystem(t, { beside: one })
    const trainId = await makeTrain(one, { seats: 5 })
    await until(async () => {
      await seatsOf(one, trainId)
      await seatsOf(other, trainId)
      return figuresOf(other).hits > 0
    })
    await bookSeats(one, await one.makeUser({ balance: 9000 }), trainId, ['Ada'])
    t.truthy(await until(async () => (await seatsOf(other, trainId)) === 4))
  })

  test('Redis: a value ends a second after its load began, by the clock of the server', async (t) => {
    const [redis] = await startRedis(t)
    const system = await createTestSystem(t, { env: { REDIS_URL: redis?.url ?? '' } })
    const client = new Redis(redis?.url ?? '')
    t.teardown(() => client.disconnect())
    const nowMs = async (): Promise<number> => {
      const [seconds, micros] = await client.time()
      return Number(seconds) * 1000 + Number(micros) / 1000
    }
    const cache = system.use(caches).open<string>('test')
    let beganMs = 0
    await until(async () => {
      await cache.read('a', async () => {
        beganMs = await nowMs()
        return 'value'
      })
      const endsMs = (await client.call('PEXPIRETIME', 'holdfast:test:a')) as number
      if (endsMs < 0) return false
      t.true(endsMs <= beganMs + CACHE_MAX_AGE_MS)
      return true
    })
    // As a command that was held up on its way: it is dropped where it arrives.
    await client.call('SET', 'holdfast:test:late', '"old"', 'PXAT', String(Math.floor(await nowMs()) - 1))
    t.is(await client.get('holdfast:test:late'), null)
  })

  test('Redis: when it is gone reads and bookings go on; when it is back it is used', async (t) => {
    const [redis] = await startRedis(t)
    if (!redis) return t.fail()
    const system = await createTestSystem(t, { env: { REDIS_URL: redis.url } })
    const trainId = await makeTrain(system, { seats: 5 })
    const check = async () =>
      (await system.run(platform.getStatus, { domain: 'trains' }, null)).checks.find(({ name }) => name === 'cache')
    await until(async () => {
      await seatsOf(system, trainId)
      return figuresOf(system).hits > 0
    })
    await until(async () => (await check())?.ok)

    await redis.kill()
    for (let i = 0; i < 5; i++) t.is(await seatsOf(system, trainId), 5)
    t.like(await bookSeats(system, await system.makeUser({ balance: 9000 }), trainId, ['Ada']), { state: 'COMMITTED' })
    t.is(await seatsOf(system, trainId), 4)
    await until(async () => (await check())?.ok === false)
    t.is((await system.run(platform.getStatus, { domain: 'trains' }, null)).status, 'DEGRADED')
    t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])

    await redis.start()
    const { hits } = figuresOf(system)
    await until(async () => {
      await seatsOf(system, trainId)
      return figuresOf(system).hits > hits
    })
  })

  test('Redis: a cluster of three shards by key; reads go on without one of its nodes', async (t) => {
    const nodes = await startRedis(t, { count: 3, cluster: true })
    const clients = nodes.map(({ url }) => new Redis(url).on('error', () => {}))
    t.teardown(() => clients.forEach((each) => each.disconnect()))
    const slots = [
      [0, 5460],
      [5461, 10922],
      [10923, 16383],
    ] as const
    for (const [i, client] of clients.entries()) {
      await client.call('CLUSTER', 'ADDSLOTSRANGE', String(slots[i]?.[0]), String(slots[i]?.[1]))
      await client.call('CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]?.port))
    }
    for (const client of clients) {
      await until(async () => String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok'), {
        timeoutMs: 60_000,
      })
    }
    const system = await createTestSystem(t, { env: { REDIS_URL: nodes.map(({ url }) => url).join(',') } })
    const cache = system.use(caches).open<number>('sharded')
    const keys = Array.from({ length: 30 }, (_, i) => `key ${i}`)
    await until(async () => {
      await Promise.all(keys.map((key, i) => cache.read(key, () => Promise.resolve(i))))
      const kept = await Promise.all(clients.map((each) => each.keys('holdfast:sharded:*')))
      return kept.every((each) => each.length > 0)
    })
    await nodes[2]?.kill()
    const read = await Promise.all(keys.map((key, i) => cache.read(key, () => Promise.resolve(i))))
    t.deepEqual(
      read,
      keys.map((_, i) => i),
    )
  })
}
