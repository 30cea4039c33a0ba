import test from 'ava'
import mongoose from 'mongoose'
import { bookings } from '../../functions/bookings/contract.js'
import { orders } from '../../functions/orders/contract.js'
import { payments } from '../../functions/payments/contract.js'
import { users } from '../../functions/users/contract.js'
import { long } from '../../platform/database/long.js'
import { GONE, NEEDS_ACTION, PAYS_LESS, PROCESSING, USED_UP } from '../../proof/race/tickets/stripeBooks.js'
import { buy, createStripeStage, order, pay, type Purchase, type Wanted } from './stripeStage.js'
import { PRICE } from './support.js'

test.serial(
  'what Stripe refuses for good is told at once, and is final; what it received otherwise goes back',
  async (t) => {
    const stage = await createStripeStage(t)
    const { store, stripe, webhook } = stage
    const refused = async (wanted: Wanted): Promise<[string, Purchase]> => {
      const purchase = await order(stage, wanted)
      const code = async () => {
        const error = await t.throwsAsync(pay(stage, purchase, wanted), { name: 'Refusal' })
        return (error as unknown as { code: string }).code
      }
      const first = await code()
      t.is(await code(), first, 'the first outcome')
      t.is((await purchase.charge()).state, 'failed')
      return [first, purchase]
    }
    t.is((await refused({ price: 49 }))[0], 'amount_not_payable')
    t.is((await refused({ price: 1_000_000_000 }))[0], 'amount_not_payable')
    for (const paymentMethodId of [GONE, USED_UP]) {
      const [code, purchase] = await refused({ paymentMethodId })
      t.is(code, 'payment_declined')
      t.is(purchase.intent().status, 'canceled')
    }
    const effects = stripe.effects.length
    store.clock.advance(3_600_000)
    t.deepEqual(await store.run(payments.recoverCharges, {}, null), { examined: 0, moved: 0, parked: 0 })
    t.is(stripe.effects.length, effects, 'nothing is tried again')

    const less = await buy(stage, { paymentMethodId: PAYS_LESS, price: 2000 })
    t.is(await store.chargeOf(less.chargeId), 'refunded: amount_mismatch')
    t.is(stripe.books.keptOf(less.intent().id), 0, '1,500 of 2,000 came, and went back')
    t.is(await store.orderOf(less.orderId), 'awaiting_payment')

    for (const [paymentMethodId, status] of [
      [PROCESSING, 'processing'],
      [NEEDS_ACTION, 'requires_action'],
    ] as const) {
      const slow = await order(stage)
      t.is((await pay(stage, slow, { paymentMethodId })).state, 'pending')
      t.is(slow.intent().status, status)
      Object.assign(slow.intent(), { status: 'succeeded', received: PRICE })
      t.is(await webhook('payment_intent.succeeded', slow.intent().id), 200)
      await store.settle()
      t.is(await store.chargeOf(slow.chargeId), 'settled')
    }
    const odd = await order(stage)
    await pay(stage, odd, { paymentMethodId: undefined })
    odd.intent().status = 'requires_capture'
    t.is(await webhook('payment_intent.amount_capturable_updated', odd.intent().id), 200)
    t.is(await store.chargeOf(odd.chargeId), 'failed: payment_declined')
    t.deepEqual((await store.run(bookings.auditBooks, {})).violations, [])
  },
)

test.serial(
  'checkouts that nobody ends are cancelled with their order; a state that nobody knows is parked, and told',
  async (t) => {
    const stage = await createStripeStage(t)
    const { store } = stage
    const { stuckAfterMs } = store.config.recovery
    const left = await order(stage)
    await pay(stage, left, { paymentMethodId: undefined })
    await store.settle()
    await store.expire(left.orderId)
    await store.settle()
    t.is(await store.chargeOf(left.chargeId), 'failed: order_expired')
    t.is(left.intent().status, 'canceled')
    const late = { orderId: left.orderId, method: 'stripe' as const }
    t.is((await store.refused(payments.createCharge, late, left.buyer)).code, 'order_cancelled')

    // A charge that came to its order just when that ended: no event finds it.
    const orphan = await order(stage)
    await pay(stage, orphan, { paymentMethodId: undefined })
    const copies = store.databases.connection('payments').collection('orderCopies')
    await store.settle()
    const _id = new mongoose.Types.ObjectId(orphan.orderId)
    await copies.updateOne({ _id }, { $set: { state: 'cancelled', reason: 'expired' } })
    store.clock.advance(stuckAfterMs + 1)
    t.is((await store.run(payments.recoverCharges, {}, null)).moved, 1)
    t.is(orphan.intent().status, 'canceled')

    const strange = await order(stage)
    await pay(stage, strange, { paymentMethodId: undefined })
    Object.assign(strange.intent(), { status: 'of_tomorrow' })
    for (let failures = 1; failures <= 15; failures++) {
      store.clock.advance(301_000)
      const { parked } = await store.run(payments.recoverCharges, {}, null)
      t.is(parked, failures === 15 ? 1 : 0)
    }
    store.clock.advance(3_600_000)
    t.is((await store.run(payments.recoverCharges, {}, null)).examined, 0)
    t.like(await strange.charge(), { state: 'pending', parked: true, attention: true })
    t.deepEqual((await store.run(bookings.auditBooks, {})).unresolvedCharges, [strange.chargeId])
    Object.assign(strange.intent(), { status: 'succeeded', received: PRICE })
    t.like(await store.run(payments.recoverCharges, { chargeId: strange.chargeId }), { moved: 1 })
    await store.settle()
    t.like(await strange.charge(), { state: 'settled', parked: false, attention: false })
    t.is((await store.refused(payments.recoverCharges, { chargeId: 'f'.repeat(24) })).code, 'charge_not_found')
  },
)

test.serial('charges that always fail never delay one that only lost its webhook', async (t) => {
  const stage = await createStripeStage(t)
  const { store, stripe } = stage
  const healthy = await order(stage)
  await pay(stage, healthy, { paymentMethodId: undefined })
  const charges = store.databases.connection('payments').collection('charges')
  const [charge] = await charges.find().toArray()
  // More than a page of older ones whose intents Stripe does not find.
  const poisoned = Array.from({ length: 510 }, (_, i) => ({
    ...charge,
    _id: new mongoose.Types.ObjectId(),
    orderId: new mongoose.Types.ObjectId(),
    intentId: `pi_poisoned${i}`,
    amount: long(PRICE),
    left: long(PRICE),
    dueAt: new Date(store.clock.now().getTime() + 1),
  }))
  await charges.insertMany(poisoned)
  store.clock.advance(store.config.recovery.stuckAfterMs + 1)
  await store.run(payments.recoverCharges, {}, null)
  // The buyer pays, and no webhook comes: the next run that may look at it brings it home.
  stripe.payInBrowser(healthy.intent().id)
  await charges.updateOne({ intentId: healthy.intent().id }, { $set: { dueAt: store.clock.now(), failures: 0 } })
  store.clock.advance(301_000)
  t.is((await store.run(payments.recoverCharges, {}, null)).moved, 1)
  await store.settle()
  t.is(await store.chargeOf(healthy.chargeId), 'settled')
  const due = await charges
    .find({ dueAt: { $exists: true } })
    .sort({ failures: 1, dueAt: 1 })
    .toArray()
  t.true(
    due.every(({ failures }) => (failures as number) >= 1),
    'each was tried, and moved to the back',
  )
})

test.serial('a seller buys no own ticket by card, and nobody pays a seller whose balance has no room', async (t) => {
  const stage = await createStripeStage(t)
  const { store } = stage
  const { ticketId, seller } = await store.sell()
  const own = await store.order(seller, ticketId)
  t.is((await store.refused(payments.createCharge, { orderId: own, method: 'stripe' }, seller)).code, 'own_ticket')
  await store.run(users.depositFunds, { userId: seller.userId, amount: PRICE })
  await store.run(payments.createCharge, { orderId: own, method: 'balance' }, seller)
  await store.settle()
  t.is(await store.balanceOf(seller), PRICE, 'from one pocket into the other')

  const full = await order(stage)
  const room = Number.MAX_SAFE_INTEGER - PRICE
  await store.run(users.depositFunds, { userId: full.seller.userId, amount: room })
  const checkRoom = (amount: number) => store.run(users.checkRoom, { userId: full.seller.userId, amount }, null)
  t.deepEqual(await checkRoom(PRICE), { fits: true })
  t.deepEqual(await checkRoom(PRICE + 1), { fits: false })
  await store.run(users.depositFunds, { userId: full.seller.userId, amount: 1 })
  const input = { orderId: full.orderId, method: 'balance' as const }
  t.is((await store.refused(payments.createCharge, input, full.buyer)).code, 'balance_limit_exceeded')
  t.is(await store.balanceOf(full.buyer), PRICE, 'nothing was taken')
  await store.run(users.withdrawFunds, { userId: full.seller.userId, amount: 1 })
  await store.run(payments.createCharge, input, full.buyer)
  await store.settle()
  t.like(await store.run(orders.getOrder, { orderId: full.orderId }), { state: 'complete' })
})
