import test from 'ava'
import mongoose from 'mongoose'
import { bookings } from '../../functions/bookings/contract.js'
import { events } from '../../functions/events/contract.js'
import { feeds } from '../../functions/feeds/contract.js'
import { platform } from '../../functions/platform/contract.js'
import { SCHEDULE } from '../../jobs/schedule.js'
import { define } from '../../platform/runtime/function.js'
import { loadFunctions } from '../../platform/runtime/tree.js'
import { watchForTrouble } from '../../projections/watch.js'
import { until } from '../../proof/support/until.js'
import { createTestSystem, HOUR_MS, START } from '../support/system.js'
import { startWebhook } from '../support/webhook.js'

test('trouble that stays is told once an hour, to admins and to the webhook, and no more when it is over', async (t) => {
  const { url, posted } = await startWebhook(t)
  const system = await createTestSystem(t, { env: { ALERT_WEBHOOK_URL: url } })
  const admin = await system.makeUser({ role: 'admin' })
  const outbox = system.databases.connection('bookings').collection('events')
  const _id = new mongoose.Types.ObjectId()
  const dead = { type: 'thing:changed', aggregate: { type: 'thing', id: _id }, version: 1, payload: '{}' }
  await outbox.insertOne({
    ...{ _id, ...dead, requestId: 'r', createdAt: START, isLocked: false, deadAt: START, failures: [] },
  })
  system.clock.advance(HOUR_MS)
  const look = () => system.run(platform.reportTrouble, {}, null)
  await until(async () => (await look()).told === 1)
  const told = { about: 'events: dead letters', message: '1, the oldest for 1 h' }
  t.like(posted, [{ event: 'system:trouble', ...told }])
  t.is(posted.length, 1)
  t.is((await look()).told, 0)
  const news = (await system.run(feeds.readFeed, { feed: `user:${admin.userId}`, after: 0, limit: 10 }, null)).entries
  t.like(news.at(-1), { name: 'system:trouble', data: told })

  system.clock.advance(HOUR_MS)
  await until(async () => (await look()).told === 1)
  t.is(posted.length, 2)
  await outbox.deleteMany({})
  system.clock.advance(HOUR_MS)
  await until(async () => (await system.run(platform.getStatus, {}, null)).status === 'OK')
  t.is((await look()).told, 0)
  t.is((await look()).told, 0)
  t.is(posted.length, 2)
})

test('where the webhook could not be told, it is told later, and admins hear it once', async (t) => {
  const { url, posted } = await startWebhook(t, [500, 500])
  const system = await createTestSystem(t, { env: { ALERT_WEBHOOK_URL: url } })
  const admin = await system.makeUser({ role: 'admin' })
  const _id = new mongoose.Types.ObjectId()
  const dead = { type: 'thing:changed', aggregate: { type: 'thing', id: _id }, version: 1, payload: '{}' }
  await system.databases
    .connection('bookings')
    .collection('events')
    .insertOne({ ...{ _id, ...dead, requestId: 'r', createdAt: START, isLocked: false, deadAt: START, failures: [] } })
  const outcomes: string[] = []
  await until(async () => {
    system.clock.advance(60_000)
    const outcome = await system.run(platform.reportTrouble, {}, null).then(
      ({ told }) => `told ${told}`,
      ({ code }: { code: string }) => code,
    )
    outcomes.push(outcome)
    return outcome === 'told 1'
  })
  t.deepEqual(outcomes.slice(-3), ['unavailable', 'unavailable', 'told 1'])
  t.is(posted.length, 3)
  const { entries } = await system.run(feeds.readFeed, { feed: `user:${admin.userId}`, after: 0, limit: 10 }, null)
  t.is(entries.filter(({ name }) => name === 'system:trouble').length, 1)
})

test('where the database of the users is gone, the webhook is told all the same, and once', async (t) => {
  const { url, posted } = await startWebhook(t)
  const functions = (await loadFunctions()).filter(({ operation }) => operation.name !== 'listAdminIds')
  const system = await createTestSystem(t, { env: { ALERT_WEBHOOK_URL: url }, functions })
  const trouble = { about: 'users: database', message: 'answers 0 of 1 processes', since: START.toISOString() }
  for (let i = 0; i < 3; i++) {
    const refusal = await system.refused(events.tellTrouble, { key: 'gone', ...trouble }, null)
    t.is(refusal.code, 'unavailable')
  }
  t.deepEqual(posted, [{ event: 'system:trouble', ...trouble }])
})

test('trouble is looked for without any job', async (t) => {
  t.false(SCHEDULE.some(({ calls }) => calls.includes(platform.reportTrouble)))
  const looked: string[] = []
  const system = await createTestSystem(t, {
    functions: [define(platform.reportTrouble, ({ requestId }) => Promise.resolve({ told: looked.push(requestId) }))],
  })
  const watch = watchForTrouble(system, 1)
  await until(() => looked.length > 2)
  watch.stop()
  t.is(new Set(looked).size, looked.length)
})

test('an audit that fails is told, whoever asked for it; the same trouble again is not', async (t) => {
  const { url, posted } = await startWebhook(t)
  const system = await createTestSystem(t, { env: { ALERT_WEBHOOK_URL: url } })
  const user = await system.makeUser({ balance: 500 })
  t.true((await system.run(bookings.auditBooks, {})).ok)
  t.is(posted.length, 0)
  const users = system.databases.connection('users').collection('users')
  await users.updateOne({ _id: new mongoose.Types.ObjectId(user.userId) }, { $inc: { balance: 1n } })
  t.false((await system.run(bookings.auditBooks, {})).ok)
  t.is(posted.length, 1)
  t.like(posted[0], { event: 'system:trouble', about: 'books' })
  t.regex(String(posted[0]?.['message']), /^Violations: 1\. The first: ledger, /)

  const trouble = { key: 'a', about: 'books', message: 'again', since: START.toISOString() }
  const admin = await system.makeUser({ role: 'admin' })
  for (let i = 0; i < 2; i++) await system.run(events.tellTrouble, trouble, null)
  const { entries } = await system.run(feeds.readFeed, { feed: `user:${admin.userId}`, after: 0, limit: 10 }, null)
  t.is(entries.filter(({ name }) => name === 'system:trouble').length, 1)
})
