import test from 'ava'
import { events } from '../../functions/events/contract.js'
import { feeds } from '../../functions/feeds/contract.js'
import { Refusal } from '../../platform/contract/errors.js'
import { DEAD_AFTER } from '../../platform/events/retries.js'
import { until } from '../../proof/support/until.js'
import { startWebhook } from '../support/webhook.js'
import { createEventSystem } from './support.js'

test('a poisoned event ends as a dead letter, people are told, others go on, and it can be driven again', async (t) => {
  const webhook = await startWebhook(t, [500])
  const system = await createEventSystem(t, { env: { ALERT_WEBHOOK_URL: webhook.url } })
  const operator = await system.makeUser({ role: 'admin' })
  const [poisoned, healthy] = [system.newId(), system.newId()]
  let poison = true
  system.onHearing('hearThings', ({ aggregate, version }) => {
    if (poison && aggregate.id === poisoned && version === 1) throw new Error('a defect with a secret in it')
  })
  await system.dispatch()
  for (const version of [1, 2]) await system.change(poisoned, version)
  for (let attempt = 1; attempt <= DEAD_AFTER; attempt++) {
    const event = await until(async () => (await system.stored()).find(({ failures }) => failures.length === attempt))
    await system.change(healthy, attempt)
    await until(() =>
      system.heard.hearThings.some(({ aggregate, version }) => aggregate.id === healthy && version === attempt),
    )
    if (attempt < DEAD_AFTER) {
      t.truthy(event.retryAt)
      await system.retry()
    }
  }
  t.is(system.heard.hearThings.filter(({ aggregate }) => aggregate.id === poisoned).length, DEAD_AFTER)

  const { items, nextCursor } = await system.run(events.listDeadEvents, {})
  t.is(nextCursor, null)
  t.is(items.length, 1)
  t.like(items[0], { type: 'thing:changed', aggregate: { type: 'thing', id: poisoned }, version: 1 })
  t.is(items[0]?.failures.length, DEAD_AFTER)
  const eventId = items[0]?.eventId as string
  // Admins learn what it came of, and where the log has more.
  t.like(items[0]?.failures.at(-1), {
    code: 'internal',
    message: 'Something went wrong on our side.',
    cause: 'a defect with a secret in it',
    requestId: eventId,
  })
  t.true(system.logs.some(({ msg, requestId }) => msg === 'function failed' && requestId === eventId))
  t.true(
    system.logs.some(
      ({ level, msg, eventId: about }) => level === 50 && about === eventId && /dead letter/.test(String(msg)),
    ),
  )

  // The webhook fails once: the alert comes again.
  t.deepEqual(await system.run(events.retryEvents, {}, null), { retried: 0, alerted: 1, dead: 1 })
  t.deepEqual(await system.run(events.retryEvents, {}, null), { retried: 0, alerted: 0, dead: 1 })
  system.clock.advance(60_000)
  t.deepEqual(await system.run(events.retryEvents, {}, null), { retried: 0, alerted: 1, dead: 1 })
  t.deepEqual(await system.run(events.retryEvents, {}, null), { retried: 0, alerted: 0, dead: 1 })
  t.is(webhook.posted.length, 2)
  t.like(webhook.posted[1], { event: 'event:dead', eventId, type: 'thing:changed' })
  t.false(JSON.stringify(webhook.posted).includes('secret'))
  const { entries } = await system.run(feeds.readFeed, { feed: `user:${operator.userId}`, after: 0 }, null)
  t.deepEqual(
    entries.map(({ name, data }) => [name, data['eventId']]),
    [['event:dead', eventId]],
  )

  poison = false
  await system.run(events.redriveEvent, { eventId })
  await until(async () => (await system.stored()).length === 0)
  t.deepEqual(
    system.heard.hearThings.filter(({ aggregate }) => aggregate.id === poisoned).map(({ version }) => version),
    [...Array.from({ length: DEAD_AFTER + 1 }, () => 1), 2],
  )
  t.is((await system.refused(events.redriveEvent, { eventId })).code, 'event_not_found')
})

test('only a dead letter is driven again', async (t) => {
  const system = await createEventSystem(t)
  await system.change(system.newId(), 1)
  const [event] = await system.stored()
  const refusal = await system.refused(events.redriveEvent, { eventId: event?._id.toHexString() as string })
  t.is(refusal.code, 'event_not_dead')
})

test('dead letters are listed newest first, page by page', async (t) => {
  const system = await createEventSystem(t)
  const deadAt = system.clock.now()
  for (let i = 0; i < 5; i++) {
    await system.change(system.newId(), 1)
    system.clock.advance(1)
  }
  const collection = system.databases.connection('bookings').collection('events')
  await collection.updateMany({}, { $set: { isLocked: false, deadAt } })
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await system.run(events.listDeadEvents, { limit: 2, ...(cursor && { cursor }) })
    seen.push(...page.items.map(({ eventId }) => eventId))
    cursor = page.nextCursor ?? undefined
  } while (cursor)
  const all = (await system.stored()).map(({ _id }) => _id.toHexString())
  t.deepEqual(seen, all.sort().reverse())
})

test('a refusal is told as it is, whatever else is thrown as internal', async (t) => {
  const system = await createEventSystem(t)
  system.onHearing('hearThings', () => {
    throw new Refusal('version_conflict', 'moved')
  })
  system.onHearing('hearAlso', () => {
    throw new Error('a secret')
  })
  await system.dispatch()
  await system.change(system.newId(), 1)
  const event = await until(async () => (await system.stored()).find(({ isLocked }) => !isLocked))
  t.deepEqual(
    event.failures.map(({ subscriber, code }) => [subscriber, code]),
    [
      ['listeners.hearThings', 'version_conflict'],
      ['listeners.hearAlso', 'internal'],
    ],
  )
})
