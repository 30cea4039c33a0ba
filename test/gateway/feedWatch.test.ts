import test from 'ava'
import { feeds, type Entry } from '../../functions/feeds/contract.js'
import { watchFeeds } from '../../gateway/feedWatch.js'
import { createTestSystem } from '../support/system.js'

const AT = '2031-01-01T00:00:00.000Z'
const FEED = `user:${'a'.repeat(24)}`
const news = (key: string) => ({ key, name: 'order:updated', data: { key }, at: AT })

test('whoever watches feeds is told each entry once it stands, as readFeed has it, and none that does not', async (t) => {
  const system = await createTestSystem(t)
  const told: Entry[] = []
  let opened = 0
  watchFeeds(system)({ appended: (entry) => void told.push(entry), opened: () => void opened++ })
  t.is(opened, 1, 'something may have come before')

  const append = (...keys: string[]) => system.run(feeds.appendToFeed, { feed: FEED, entries: keys.map(news) }, null)
  await append('a')
  await append('b', 'c')
  // Known already: nothing new.
  await append('a', 'b')
  const { entries } = await system.run(feeds.readFeed, { feed: FEED, after: 0 }, null)
  t.deepEqual(told, entries)
  t.deepEqual(
    told.map(({ seq, key }) => `${seq} ${key}`),
    ['1 a', '2 b', '3 c'],
  )
})

test('an entry whose number another process has taken is told by its own number alone', async (t) => {
  const system = await createTestSystem(t)
  const other = await createTestSystem(t, { beside: system })
  const told: Entry[] = []
  for (const each of [system, other]) watchFeeds(each)({ appended: (entry) => void told.push(entry), opened: () => {} })
  const append = (by: typeof system, ...keys: string[]) =>
    by.run(feeds.appendToFeed, { feed: FEED, entries: keys.map(news) }, null)
  await append(system, 'a')
  // Each knows less than the other has appended.
  await append(other, 'b', 'c')
  await append(system, 'd', 'e')
  await append(other, 'f')
  const { entries } = await system.run(feeds.readFeed, { feed: FEED, after: 0 }, null)
  t.deepEqual(told, entries)
})
