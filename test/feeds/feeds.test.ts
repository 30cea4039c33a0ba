import test from 'ava'
import { feeds } from '../../functions/feeds/contract.js'
import { FeedEntry } from '../../functions/feeds/feedEntry.model.js'
import { createTestSystem, type TestSystem } from '../support/system.js'

const FEED = 'lobby:0123456789abcdef01234567'
const AT = '2031-01-01T00:00:00.000Z'

const news = (key: string, data: Record<string, unknown> = {}) => ({ key, name: 'lobby:message', data, at: AT })
const append = (system: TestSystem, keys: string[], feed = FEED) =>
  system.run(feeds.appendToFeed, { feed, entries: keys.map((key) => news(key)) }, null)
const read = async (system: TestSystem, after = 0) =>
  (await system.run(feeds.readFeed, { feed: FEED, after }, null)).entries.map(({ seq, key }) => `${seq} ${key}`)

test('entries are numbered from 1 in each feed, and read after a number', async (t) => {
  const system = await createTestSystem(t)
  await append(system, ['a', 'b'])
  const other = 'user:0123456789abcdef01234567'
  await append(system, ['a'], other)
  const { entries } = await append(system, ['c'])
  t.deepEqual(entries, [{ feed: FEED, seq: 3, key: 'c', name: 'lobby:message', data: {}, at: AT }])
  t.deepEqual(await read(system), ['1 a', '2 b', '3 c'])
  t.deepEqual(await read(system, 2), ['3 c'])
  const { heads } = await system.run(
    feeds.readFeedHeads,
    { feeds: [other, 'lobby:ffffffffffffffffffffffff', FEED] },
    null,
  )
  t.deepEqual(heads, [1, 0, 3])
})

test('the same key stands once, with what it said first', async (t) => {
  const system = await createTestSystem(t)
  await system.run(feeds.appendToFeed, { feed: FEED, entries: [news('a', { n: 1 })] }, null)
  const again = await system.run(
    feeds.appendToFeed,
    { feed: FEED, entries: [news('b'), news('a', { n: 2 }), news('b'), news('c')] },
    null,
  )
  t.deepEqual(
    again.entries.map(({ seq, key, data }) => [seq, key, data]),
    [
      [2, 'b', {}],
      [1, 'a', { n: 1 }],
      [2, 'b', {}],
      [3, 'c', {}],
    ],
  )
  t.deepEqual(await read(system), ['1 a', '2 b', '3 c'])
})

test('two processes that append to one feed at once leave no gap and no number twice', async (t) => {
  const system = await createTestSystem(t)
  const other = await createTestSystem(t, { beside: system })
  const keys = Array.from({ length: 200 }, (_, i) => `k${i}`)
  // Each key from both, as an event that is delivered twice.
  await Promise.all(keys.flatMap((key) => [append(system, [key]), append(other, [key])]))
  const entries = await system.model(FeedEntry).find({ feed: FEED }).sort({ seq: 1 }).lean()
  t.deepEqual(
    entries.map(({ seq }) => seq),
    keys.map((_, i) => i + 1),
  )
  t.deepEqual(entries.map(({ key }) => key).sort(), keys.toSorted())
})

test('tidying drops what is old, but of no feed the newest: the next number follows from it', async (t) => {
  const system = await createTestSystem(t)
  await append(system, ['a', 'b', 'c'])
  system.clock.advance(8 * 24 * 3_600_000)
  t.deepEqual(await system.run(feeds.tidyFeeds, {}, null), { dropped: 2 })
  t.deepEqual(await read(system), ['3 c'])
  const other = await createTestSystem(t, { beside: system })
  await append(other, ['d'])
  t.deepEqual(await read(system), ['3 c', '4 d'])
})
