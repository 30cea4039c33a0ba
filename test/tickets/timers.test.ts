import test from 'ava'
import { bookings } from '../../functions/bookings/contract.js'
import { expirations } from '../../functions/expirations/contract.js'
import { orders } from '../../functions/orders/contract.js'
import { payments } from '../../functions/payments/contract.js'
import { tickets } from '../../functions/tickets/contract.js'
import { SWEEP_MS } from '../../jobs/dueJobs.js'
import { findJob, isParked, requeueJob, timerStore, type StoredJob } from '../../jobs/store.js'
import { startTimers } from '../../jobs/timers.js'
import type { Caller } from '../../platform/contract/caller.js'
import { DEAD_AFTER } from '../../platform/events/retries.js'
import { define } from '../../platform/runtime/function.js'
import { until } from '../../proof/support/until.js'
import { createTestSystem } from '../support/system.js'
import { createStore, type Store } from './support.js'

test('the timer of an order rings when it is due, not before, and whoever rings it: also one that was left locked', async (t) => {
  const store = await createStore(t, { env: { ORDER_EXPIRES_AFTER_MS: '1500' }, now: () => new Date() })
  await store.dispatch()
  const buyer = await store.makeUser()
  const rung: number[] = []
  const expire = async (prepare: (orderId: string) => Promise<unknown>) => {
    const { ticketId } = await store.sell()
    const orderId = await store.order(buyer, ticketId)
    const { expiresAt } = await store.run(orders.getOrder, { orderId })
    const timer = store.databases.connection('expirations').collection('expirations')
    await until(async () => (await timer.countDocuments()) === 1, { what: 'the timer to start' })
    await prepare(orderId)
    const timers = await startTimers(store)
    await until(async () => (await store.orderOf(orderId)) === 'cancelled: expired', { timeoutMs: 60_000 })
    rung.push(Date.now() - Date.parse(expiresAt))
    await timers.stop()
    t.is(await timer.countDocuments(), 0, 'a timer that has rung is gone')
    t.deepEqual(await store.run(expirations.completeExpiration, { orderId }, null), { completed: false }, 'once')
  }
  await expire(() => Promise.resolve())
  await expire(() =>
    store.databases
      .connection('expirations')
      .collection('expirations')
      .updateOne({}, { $set: { lockedAt: new Date(Date.now() - 60_000), lastModifiedBy: 'a dead process' } }),
  )
  for (const lateMs of rung) t.true(lateMs >= 0, `${lateMs} ms before its time`)
})

test('a timer that starts while nothing else is due rings in time, long before the next sweep', async (t) => {
  const store = await createStore(t, { env: { ORDER_EXPIRES_AFTER_MS: '1500' }, now: () => new Date() })
  const timers = await startTimers(store)
  t.teardown(() => timers.stop())
  await store.dispatch()
  const { ticketId } = await store.sell()
  const orderId = await store.order(await store.makeUser(), ticketId)
  const { expiresAt } = await store.run(orders.getOrder, { orderId })
  await until(async () => (await store.orderOf(orderId)) === 'cancelled: expired', { timeoutMs: 60_000 })
  const lateMs = Date.now() - Date.parse(expiresAt)
  t.true(lateMs >= 0 && lateMs < SWEEP_MS / 2, `${lateMs} ms`)
})

test('a timer that always fails delays no other, comes later each time, and is parked, told and rung again by an admin', async (t) => {
  const store = await createStore(t, { env: { ORDER_EXPIRES_AFTER_MS: '1000' }, now: () => new Date() })
  await store.dispatch()
  const buyer = await store.makeUser()
  const [poisoned, healthy] = [await orderOne(store, buyer), await orderOne(store, buyer)]
  const timers = timerStore(store.databases)
  const timer = async (): Promise<StoredJob> => (await findJob(timers, poisoned)) as StoredJob
  await until(async () => (await timers.estimatedDocumentCount()) === 2, { what: 'the timers to start' })
  let mended = false
  const failing = define(expirations.completeExpiration, (_ctx, { orderId }) => {
    if (orderId === poisoned && !mended) throw new Error('a bug')
    return store.run(expirations.completeExpiration, { orderId }, null)
  })
  const beside = await createTestSystem(t, { beside: store, now: () => new Date(), functions: [failing] })
  const ringing = await startTimers(beside)
  t.teardown(() => ringing.stop())
  await until(async () => (await store.orderOf(healthy)) === 'cancelled: expired', { timeoutMs: 60_000 })
  const failed = await until(async () => {
    const { failCount, nextRunAt, failedAt } = await timer()
    return failCount && failCount >= 3 && nextRunAt && failedAt ? { failCount, nextRunAt, failedAt } : undefined
  })
  t.true(failed.nextRunAt.getTime() - failed.failedAt.getTime() >= 200 * 2 ** (failed.failCount - 1))
  const { checks } = await store.run(expirations.reportStuckTimers, {}, null)
  t.regex(checks[0]?.detail ?? '', /^1 stuck, the oldest for /)

  await timers.updateOne({ failCount: { $gt: 0 } }, { $set: { failCount: DEAD_AFTER - 1, nextRunAt: new Date() } })
  await until(async () => isParked(await timer()), { timeoutMs: 60_000 })
  const told = await store.run(expirations.reportStuckTimers, {}, null)
  t.regex(told.checks[0]?.detail ?? '', /^1 parked, the oldest for /)
  t.deepEqual((await store.run(bookings.auditBooks, {})).parkedTimers, [poisoned])

  mended = true
  t.true(await requeueJob(timers, (await timer())._id, new Date()))
  await until(async () => (await store.orderOf(poisoned)) === 'cancelled: expired', { timeoutMs: 60_000 })
  t.deepEqual((await store.run(bookings.auditBooks, {})).parkedTimers, [])
})

test('a process that stops keeps the lock of a timer that still rings: without it nobody would ring that one again', async (t) => {
  const store = await createStore(t, { env: { ORDER_EXPIRES_AFTER_MS: '1000' }, now: () => new Date() })
  await store.dispatch()
  const orderId = await orderOne(store, await store.makeUser())
  const timers = timerStore(store.databases)
  await until(async () => (await timers.estimatedDocumentCount()) === 1, { what: 'the timer to start' })
  let rings = 0
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const hanging = define(expirations.completeExpiration, async () => {
    rings++
    await released
    return { completed: false }
  })
  const beside = await createTestSystem(t, { beside: store, now: () => new Date(), functions: [hanging] })
  const ringing = await startTimers({ ...beside, config: { ...beside.config, drainMs: 100 } })
  await until(() => rings === 1)
  await ringing.stop()
  const left = await findJob(timers, orderId)
  t.true(left?.nextRunAt === null && left.lockedAt instanceof Date)
  release()
})

async function orderOne(store: Store, buyer: Caller): Promise<string> {
  return store.order(buyer, (await store.sell()).ticketId)
}

test('every event of the ticket store has its subscribers', (t) => {
  const contracts = { ...expirations, ...orders, ...payments, ...tickets }
  const subscribers = Object.values(contracts).flatMap(({ name, subscribes = [] }) =>
    subscribes.map((type) => `${type} ${name}`),
  )
  t.deepEqual(subscribers.sort(), [
    'charge:created settleCharge',
    'charge:created tellCharge',
    'charge:refunded tellCharge',
    'charge:refunded undoOrder',
    'charge:updated tellCharge',
    'expiration:complete expireOrder',
    'order:cancelled followOrder',
    'order:cancelled lockTicket',
    'order:cancelled tellOrder',
    'order:completed followOrder',
    'order:completed lockTicket',
    'order:completed tellOrder',
    'order:created followOrder',
    'order:created lockTicket',
    'order:created startExpiration',
    'order:created tellOrder',
    'order:reserved followOrder',
    'order:reserved tellOrder',
    'ticket:updated followTicket',
  ])
})

test('what functions ask each other', async (t) => {
  const store = await createStore(t)
  const { ticketId, seller } = await store.sell()
  const buyer = await store.makeUser({ balance: 2000 })
  const orderId = await store.order(buyer, ticketId)
  t.like(await store.run(orders.copyOrder, { orderId }, null), { id: orderId, sellerId: seller.userId, hold: 1 })
  t.deepEqual(await store.run(payments.receiveStripeEvent, { intentId: 'pi_unknown' }, null), { known: false })
  const chargeId = 'f'.repeat(24)
  t.is((await store.refused(payments.returnCharge, { chargeId, reason: 'x' }, null)).code, 'charge_not_found')
  t.deepEqual(await store.run(expirations.findParkedTimers, {}, null), { parked: [] })
  await store.pay(buyer, orderId)
  t.deepEqual(await store.run(payments.auditPayments, { userIds: [buyer.userId] }, null), {
    checked: 1,
    violations: [],
    parked: [],
    unresolvedCharges: [],
  })
})
