import test, { type ExecutionContext } from 'ava'
import { bookings } from '../../functions/bookings/contract.js'
import { payments } from '../../functions/payments/contract.js'
import type { Caller } from '../../platform/contract/caller.js'
import { isOutstanding } from '../../protocol/states.js'
import { Payment } from '../../functions/payments/payment.model.js'
import { crashAt, pointsOf } from '../support/faults.js'
import { until } from '../../proof/support/until.js'
import { createStore, PRICE, type Store } from './support.js'

/** Failpoints are one per process: the tests of this file run one by one. */

interface Stage {
  buyer: Caller
  seller: Caller
  orderId: string
  chargeId: string
}

async function stageFor(store: Store): Promise<Stage> {
  const { ticketId, seller } = await store.sell()
  const buyer = await store.makeUser({ balance: PRICE })
  return { buyer, seller, orderId: await store.order(buyer, ticketId), chargeId: store.newId() }
}

/** As the recovery job does, until nothing is open. */
async function recover(store: Store): Promise<void> {
  await until(async () => {
    store.clock.advance(store.config.recovery.stuckAfterMs + 1)
    await store.run(payments.recoverPayments, {}, null)
    await store.run(payments.recoverCharges, {}, null)
    await store.settle()
    const charges = store.databases.connection('payments').collection('charges')
    const open = await charges.countDocuments({ dueAt: { $exists: true } }, { hint: 'recovery' })
    return open + (await store.model(Payment).countDocuments(isOutstanding, { hint: 'recovery' })) === 0
  })
}

/** What an operation passes when nothing goes wrong. */
async function namesOfPoints(
  store: Store,
  operate: (stage: Stage) => Promise<unknown>,
  prepare: (stage: Stage) => Promise<unknown> = () => Promise.resolve(),
): Promise<string[]> {
  const stage = await stageFor(store)
  await store.settle()
  await prepare(stage)
  const passed = await pointsOf(() => operate(stage))
  await recover(store)
  return [...new Set(passed)]
}

async function assertEnds(t: ExecutionContext, store: Store, stage: Stage, allowed: string[], what: string) {
  const { buyer, seller, chargeId } = stage
  const state = await store.chargeOf(chargeId).catch(() => 'never made')
  t.true(allowed.includes(state), `${what}: the charge is ${state}`)
  const sold = state === 'settled'
  t.is(await store.balanceOf(buyer), sold ? 0 : PRICE, `${what}: the buyer`)
  t.is(await store.balanceOf(seller), sold ? PRICE : 0, `${what}: the seller`)
}

test.serial('a charge that dies at any of its points is settled in the end, or was never made', async (t) => {
  const store = await createStore(t)
  await store.dispatch()
  // By name: the dispatcher passes points too, whenever it likes.
  const points = await namesOfPoints(store, (stage) => store.pay(stage.buyer, stage.orderId, stage.chargeId))
  const crashes: (string | undefined)[] = []
  for (const point of points) {
    const stage = await stageFor(store)
    await store.settle()
    crashes.push(await crashAt(point, () => store.pay(stage.buyer, stage.orderId, stage.chargeId)))
    await recover(store)
    await assertEnds(t, store, stage, ['settled', 'never made'], `crash at ${point}`)
    // The same request again, as a client whose reply was lost sends it.
    await store.pay(stage.buyer, stage.orderId, stage.chargeId)
    await recover(store)
    await assertEnds(t, store, stage, ['settled'], `sent again after a crash at ${point}`)
  }
  for (const point of ['charge.insert', 'insert', 'applyPayer', 'APPLIED', 'COMMITTED', 'charge.paid'])
    t.true(crashes.includes(`${point}.after`), point)
  t.deepEqual((await store.run(bookings.auditBooks, {})).violations, [])
})

test.serial('a purchase that is taken back, and dies at any point of that, is taken back in full, once', async (t) => {
  const store = await createStore(t)
  await store.dispatch()
  const sell = async ({ buyer, orderId, chargeId }: Stage) => {
    await store.pay(buyer, orderId, chargeId)
    await store.settle()
  }
  const refund = ({ chargeId }: Stage) => store.run(payments.refundCharge, { chargeId })
  const points = await namesOfPoints(store, refund, sell)
  const crashes: (string | undefined)[] = []
  for (const point of points) {
    const stage = await stageFor(store)
    await store.settle()
    await sell(stage)
    crashes.push(await crashAt(point, () => refund(stage)))
    await recover(store)
    await assertEnds(t, store, stage, ['refunded: refunded_by_admin', 'settled'], `crash at ${point}`)
  }
  for (const point of [
    'refund.added',
    'applyPayer',
    'refund.sending',
    'reversePayer',
    'refund.refunded',
    'charge.refunded',
  ])
    t.true(crashes.includes(`${point}.after`), point)
  t.deepEqual((await store.run(bookings.auditBooks, {})).violations, [])
})
