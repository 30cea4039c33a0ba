import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import type mongoose from 'mongoose'
import { calendars } from '../../../functions/calendars/contract.js'
import { feeds } from '../../../functions/feeds/contract.js'
import { messages } from '../../../functions/messages/contract.js'
import { messageBoxProjection } from '../../../functions/messages/messageBox.projection.js'
import type { Operation } from '../../../platform/contract/contract.js'
import { field } from '../../../platform/database/fields.js'
import { defineModel } from '../../../platform/database/model.js'
import { pageOf, withinPage } from '../../../platform/runtime/pages.js'
import { loadContracts } from '../../../platform/runtime/tree.js'
import { bytesOf, jsonSchema, largestOf } from '../../../proof/support/largest.js'
import { hours, project } from '../../calendars/support.js'
import { createTestSystem } from '../../support/system.js'

/** A page, and what stands around its items. */
const MOST_BYTES = 1_100_000
/** Of a request, as the gateway takes them. */
const MOST_INPUT_BYTES = 1_000_000

/** Reads page after page; answers all items. Fails where one is too long. */
async function readAll<T>(
  read: (cursor: string | undefined) => Promise<{ items: T[]; nextCursor: string | null }>,
  check: (page: { items: T[]; nextCursor: string | null }) => void,
): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const page = await read(cursor)
    check(page)
    items.push(...page.items)
    cursor = page.nextCursor ?? undefined
  } while (cursor)
  return items
}

testProp(
  'a page is the longest beginning that fits, and never empty',
  [fc.array(fc.integer({ min: 0, max: 400_000 })), fc.integer({ min: 1, max: 20 })],
  (t, sizes, limit) => {
    const items = sizes.map((size) => 'x'.repeat(size))
    const page = withinPage(items, limit)
    t.deepEqual(page, items.slice(0, page.length))
    if (items.length > 0) t.true(page.length > 0)
    t.true(page.length === 1 || page.reduce((sum, item) => sum + bytesOf(item), 0) <= 1_000_000)
    const next = items[page.length]
    if (next !== undefined && page.length < limit)
      t.true([...page, next].reduce((sum, item) => sum + bytesOf(item), 0) > 1_000_000)
  },
)

interface LongDocument {
  _id: mongoose.Types.ObjectId
  createdAt: Date
  text: string
  run: number
}
const Long = defineModel<LongDocument>('tickets', 'pages', {
  createdAt: field.date,
  text: field.text,
  run: field.count,
})

test('no document is lost or repeated, whatever their sizes are', async (t) => {
  const system = await createTestSystem(t)
  const model = system.model(Long)
  await model.collection.createIndex({ run: 1, createdAt: 1, _id: 1 })
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ size: fc.integer({ min: 0, max: 600_000 }), at: fc.integer({ min: 0, max: 3 }) }), {
        maxLength: 12,
      }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom('oldestFirst' as const, 'newestFirst' as const),
      async (made, limit, order) => {
        run++
        const documents = made.map(({ size, at }) => ({ createdAt: new Date(at), text: '"'.repeat(size), run }))
        const ids = (await model.insertMany(documents)).map(({ _id }) => _id.toHexString())
        const read = async (cursor: string | undefined) => {
          const page = await pageOf(model, { run }, { limit, cursor }, order)
          return { items: page.documents, nextCursor: page.nextCursor }
        }
        const all = await readAll(read, ({ items }) =>
          t.true(items.length === 1 || (items.length <= limit && bytesOf(items) <= MOST_BYTES)),
        )
        t.deepEqual(all.map(({ _id }) => _id.toHexString()).sort(), ids.sort())
      },
    ),
    { numRuns: 15 },
  )
})

test('120 of the longest messages are read and followed page by page', async (t) => {
  const system = await createTestSystem(t)
  const [ada, bob] = [await system.makeUser(), await system.makeUser()]
  // Quotes are twice as long in JSON; control characters, six times as long, are refused.
  const text = '"'.repeat(10_240)
  for (let i = 0; i < 120; i++) await system.run(messages.sendMessage, { toUserId: bob.userId, text }, ada)
  while ((await system.use(messageBoxProjection).advance()) > 0);
  const all = await readAll(
    (cursor) =>
      system.run(messages.getConversation, { withUserId: ada.userId, limit: 200, ...(cursor && { cursor }) }, bob),
    (page) => t.true(bytesOf(page) < MOST_BYTES),
  )
  t.deepEqual(
    all.map(({ number }) => number),
    Array.from({ length: 120 }, (_, i) => 120 - i),
  )

  const feed = `user:${bob.userId}`
  const entry = (i: number) => ({ key: `k${i}`, name: 'message:new', data: { text }, at: '2031-01-01T00:00:00.000Z' })
  const entries = Array.from({ length: 120 }, (_, i) => entry(i))
  await system.run(feeds.appendToFeed, { feed, entries }, null)
  let last = 0
  while (last < 120) {
    const answer = await system.run(feeds.readFeed, { feed, after: last, limit: 500 }, null)
    t.true(bytesOf(answer) < MOST_BYTES)
    t.is(answer.entries[0]?.seq, last + 1)
    last = answer.entries.at(-1)?.seq ?? 0
  }
})

test('a full calendar is read and exported page by page', async (t) => {
  const system = await createTestSystem(t, { env: { RATE_LIMIT_PER_SECOND: '0', MAX_OPEN_INVITATIONS: '1000' } })
  const [buyer, seller] = [await system.makeUser(), await system.makeUser()]
  const COUNT = 450
  for (let i = 0; i < COUNT; i++) {
    // Some at the same time, some across the months.
    const input = {
      sellerId: seller.userId,
      ...hours(24 + 3 * Math.floor(i / 2), 700 + 3 * Math.floor(i / 2)),
      note: '"'.repeat(1000),
    }
    await system.run(calendars.inviteToBooking, input, buyer)
  }
  await project(system)
  const range = { from: '2031-01-05T00:00:00.000Z', to: '2031-12-31T00:00:00.000Z', as: 'seller' } as const
  const items = await readAll(
    (cursor) => system.run(calendars.getCalendar, { ...range, ...(cursor && { cursor }) }, seller),
    // What stands on many days is named on each.
    (page) => t.true(bytesOf(page) < 2 * MOST_BYTES),
  )
  t.is(new Set(items.map(({ id }) => id)).size, COUNT)
  t.is(items.length, COUNT)
  t.deepEqual(
    items.map(({ from }) => from),
    items.map(({ from }) => from).sort(),
  )
  const exported = await readAll(
    async (cursor) => {
      const { text, nextCursor } = await system.run(
        calendars.exportCalendar,
        { ...range, ...(cursor && { cursor }) },
        seller,
      )
      t.true(bytesOf(text) < 3 * MOST_BYTES)
      return { items: [...text.matchAll(/^UID:(.{24})/gm)].map(([, id]) => id), nextCursor }
    },
    () => {},
  )
  t.deepEqual(
    exported,
    items.map(({ id }) => id),
  )
})

/** Answers with an array that is no page, and why it is short all the same. */
const SHORT: Record<string, string> = {
  revokeApiKey: 'as many scopes as there are domains, twice',
  getStatus: 'as many as there are functions',
  joinLobby: 'the first 1,000 that are there',
  auditBooks: 'the first 1,000 of each kind',
  callOffTrain: 'as many as a train has seats',
  getCar: 'as many as a car may keep',
  getUser: 'the newest 100',
  traceBooking: 'the newest 50 repairs; a booking has few events',
}
const ENTITIES = /^(create|update|change|set|deposit|withdraw|sign|cancel|start|apply|commit|get|refund|resolve|invite)/

test('whatever an operation answers is short: pages, or few by what it is', async (t) => {
  const contracts = [...(await loadContracts()).values()].filter(({ access }) => access !== 'internal')
  t.true(contracts.length > 60)
  for (const { name, output } of contracts) {
    const { properties = {} } = jsonSchema(output, 'output')
    const lists = Object.keys(properties).filter((key) => properties[key]?.type === 'array')
    if (lists.length === 0 || ENTITIES.test(name)) continue
    t.true('nextCursor' in properties || name in SHORT, `${name} answers ${lists.join(', ')} without an end`)
  }
})

test('whatever an operation takes has an end, below what a message may be', async (t) => {
  const contracts = [...(await loadContracts()).values()].filter(({ access }) => access !== 'internal')
  const largest = contracts.map(({ name, input }: Operation) => ({
    name,
    bytes: largestOf(jsonSchema(input, 'input')),
  }))
  for (const { name, bytes } of largest) t.true(bytes < MOST_INPUT_BYTES, `${name} takes up to ${bytes} bytes`)
  const [most] = largest.sort((a, b) => b.bytes - a.bytes)
  t.log(`the largest input is that of ${most?.name}: ${most?.bytes} bytes`)
})
