import test, { type ExecutionContext } from 'ava'
import { orders } from '../../functions/orders/contract.js'
import { payments } from '../../functions/payments/contract.js'
import type { Caller } from '../../platform/contract/caller.js'
import { DECLINED, startStripeStandIn, type StripeStandIn } from '../../proof/race/tickets/stripeStandIn.js'
import { until } from '../../proof/support/until.js'
import { SECRET, takeWebhooks } from './stripeStage.js'
import { createStore, PRICE, type Store } from './support.js'

interface Stage {
  store: Store
  stripe: StripeStandIn
  buyer: Caller
  orderId: string
  /** The charge of this test, each time it is sent. */
  charge(paymentMethodId?: string): ReturnType<typeof send>
  chargeId: string
  /** Posts a webhook about the charge's intent; answers the status. */
  webhook(options?: { type?: string; secret?: string }): Promise<number>
}

const send = (store: Store, input: Parameters<typeof store.run<typeof payments.createCharge>>[1], buyer: Caller) =>
  store.run(payments.createCharge, input, buyer)

/** A store that takes payments by Stripe's stand-in, and an order that waits for one. */
async function createStage(t: ExecutionContext): Promise<Stage> {
  const stripe = await startStripeStandIn()
  t.teardown(() => stripe.close())
  const env = {
    STRIPE_URL: stripe.url,
    STRIPE_SECRET_KEY: 'sk_test_1',
    STRIPE_WEBHOOK_SECRET: SECRET,
  }
  const store = await createStore(t, { env })
  await store.dispatch()
  const port = await takeWebhooks(t, store)

  const { ticketId } = await store.sell()
  const buyer = await store.makeUser()
  const orderId = await store.order(buyer, ticketId)
  const chargeId = store.newId()
  return {
    store,
    stripe,
    buyer,
    orderId,
    chargeId,
    charge: (paymentMethodId) =>
      send(store, { chargeId, orderId, method: 'stripe', ...(paymentMethodId && { paymentMethodId }) }, buyer),
    webhook({ type = 'payment_intent.succeeded', secret = SECRET } = {}) {
      const [intentId = ''] = stripe.intents.keys()
      return stripe.postWebhook(`http://127.0.0.1:${port}/stripe`, type, intentId, secret)
    },
  }
}

const intentOf = ({ stripe }: Stage) => [...stripe.intents.values()]

test.serial('a charge by Stripe takes the price with one intent, and credits the seller', async (t) => {
  const stage = await createStage(t)
  const { store, chargeId } = stage
  t.like(await stage.charge('pm_card_visa'), { state: 'paid', amount: PRICE })
  await store.settle()
  t.is(await store.chargeOf(chargeId), 'settled')
  t.is(await store.orderOf(stage.orderId), 'complete')
  t.is((await stage.charge('pm_card_visa')).state, 'settled', 'the same request: nothing more is taken')
  t.deepEqual(stage.stripe.effects.length, 2, 'one intent, confirmed once')
  t.like(intentOf(stage)[0], { amount: PRICE, currency: 'eur', status: 'succeeded', metadata: { chargeId } })
  t.is(await store.balanceOf(stage.buyer), 0)
})

test.serial('a declined payment takes nothing, and can never take anything later', async (t) => {
  const stage = await createStage(t)
  const code = async () =>
    (await t.throwsAsync(stage.charge(DECLINED), { name: 'Refusal' })) as unknown as { code: string }
  t.is((await code()).code, 'payment_declined')
  t.is((await code()).code, 'payment_declined', 'the first outcome')
  t.is(await stage.store.chargeOf(stage.chargeId), 'failed: payment_declined')
  t.is(intentOf(stage)[0]?.status, 'canceled')
  await stage.store.settle()
  t.is(await stage.store.orderOf(stage.orderId), 'awaiting_payment', 'another charge may follow')
})

for (const lost of ['/v1/payment_intents', 'confirm'])
  test.serial(`the reply to ${lost} is lost: the charge is made once, whoever asks again`, async (t) => {
    const stage = await createStage(t)
    stage.stripe.onRequest((request) => (request.startsWith('POST') && request.endsWith(lost) ? 'lose' : 'answer'))
    const error = await t.throwsAsync(stage.charge('pm_card_visa'), { name: 'Refusal' })
    t.is((error as unknown as { code: string }).code, 'deadline_exceeded')
    t.is(await stage.store.chargeOf(stage.chargeId), 'pending')
    stage.stripe.onRequest(() => 'answer')

    stage.store.clock.advance(stage.store.config.recovery.stuckAfterMs + 1)
    t.deepEqual(await stage.store.run(payments.recoverCharges, {}, null), { examined: 1, moved: 1, parked: 0 })
    t.true(['paid', 'accepted', 'settled'].includes((await stage.charge('pm_card_visa')).state))
    t.is(stage.stripe.intents.size, 1)
    t.is(stage.stripe.effects.length, 2)
    await stage.store.settle()
    t.is(await stage.store.orderOf(stage.orderId), 'complete')
  })

test.serial('the same charge sent many times at once is one intent, with one idempotency key', async (t) => {
  const stage = await createStage(t)
  const sent = await Promise.all(Array.from({ length: 6 }, () => stage.charge('pm_card_visa')))
  t.deepEqual(new Set(sent.map(({ id }) => id)), new Set([stage.chargeId]))
  t.is(stage.stripe.intents.size, 1)
  t.is(stage.stripe.effects.length, 2)
  await stage.store.settle()
  t.is(await stage.store.chargeOf(stage.chargeId), 'settled')
})

test.serial('the buyer pays in the browser: the webhook brings it, twice, to one effect', async (t) => {
  const stage = await createStage(t)
  const { clientSecret, state } = await stage.charge()
  t.is(state, 'pending')
  const [intent] = intentOf(stage)
  t.is(clientSecret, `${intent?.id}_secret`)
  stage.stripe.payInBrowser(intent?.id ?? '')
  t.is(await stage.webhook({ secret: 'whsec_other' }), 400)
  t.is(await stage.store.chargeOf(stage.chargeId), 'pending', 'whoever does not know the secret says nothing')
  t.is(await stage.webhook(), 200)
  t.is(await stage.webhook(), 200)
  await stage.store.settle()
  t.is(await stage.store.chargeOf(stage.chargeId), 'settled')
  t.is(await stage.webhook(), 200)
  const { items } = await stage.store.run(payments.listCharges, { orderId: stage.orderId })
  t.is(items.length, 1)
  t.is(items[0]?.version, 1, 'charge:created, once')
})

test.serial('the webhook comes before the reply to the request that caused it', async (t) => {
  const stage = await createStage(t)
  const statuses: number[] = []
  stage.stripe.beforeReply(async (request) => {
    if (request.endsWith('/confirm')) statuses.push(await stage.webhook())
  })
  t.true(['paid', 'accepted', 'settled'].includes((await stage.charge('pm_card_visa')).state))
  t.deepEqual(statuses, [200])
  await stage.store.settle()
  t.is(await stage.store.chargeOf(stage.chargeId), 'settled')
  t.is(stage.stripe.effects.length, 2)
})

test.serial('a payment by Stripe that no order wants any more goes back in full, once', async (t) => {
  const stage = await createStage(t)
  const { store, stripe } = stage
  await stage.charge()
  const [intent] = intentOf(stage)
  const { ticketId } = await store.run(orders.getOrder, { orderId: stage.orderId })
  await store.settle()
  const other = await store.makeUser()
  // The refund is made, and its reply is lost: the event comes again.
  let refunds = 0
  stripe.onRequest(async (request) => {
    // The buyer is faster than whoever cancels the intent, and another one than the buyer.
    if (request.endsWith('/cancel') && intent?.status === 'requires_payment_method') {
      await store.order(other, ticketId)
      stripe.payInBrowser(intent.id)
    }
    return request === 'POST /v1/refunds' && refunds++ === 0 ? 'lose' : 'answer'
  })
  await store.expire(stage.orderId)
  await store.settle()
  t.is(await store.chargeOf(stage.chargeId), 'refunded: ticket_taken')
  t.like(intentOf(stage)[0], { refunded: true })
  t.is(stripe.effects.filter((each) => each.endsWith('/refunds')).length, 1)
})

test.serial(
  'an order that is cancelled gives up the intent that nobody has paid; one that is paid first comes back',
  async (t) => {
    const stage = await createStage(t)
    const { store } = stage
    await stage.charge()
    await store.run(orders.cancelOrder, { orderId: stage.orderId }, stage.buyer)
    await store.settle()
    t.is(await store.chargeOf(stage.chargeId), 'failed: order_cancelled')
    t.is(intentOf(stage)[0]?.status, 'canceled')

    const paid = await createStage(t)
    await paid.charge()
    paid.stripe.payInBrowser(intentOf(paid)[0]?.id ?? '')
    await paid.store.run(orders.cancelOrder, { orderId: paid.orderId }, paid.buyer)
    await paid.store.settle()
    await until(async () => (await paid.store.chargeOf(paid.chargeId)) === 'refunded: order_cancelled')
    t.true(intentOf(paid)[0]?.refunded)
  },
)

test.serial('what the webhooks do not take', async (t) => {
  const stage = await createStage(t)
  await stage.charge()
  t.is(await stage.webhook({ type: 'charge.updated' }), 200, 'of no concern')
  const port = await takeWebhooks(t, stage.store)
  const at = (path: string) => `http://127.0.0.1:${port}${path}`
  t.is((await fetch(at('/'))).status, 404)
  t.is((await fetch(at('/stripe'))).status, 405)
  t.is((await fetch(at('/stripe'), { method: 'POST', body: '{}' })).status, 400, 'not signed')
  t.is((await fetch(at('/stripe'), { method: 'POST', body: 'x'.repeat(1_000_001) })).status, 413)
  const oldPort = await takeWebhooks(t, stage.store, () => new Date(Date.now() + 3_600_000))
  const [intentId = ''] = stage.stripe.intents.keys()
  const to = `http://127.0.0.1:${oldPort}/stripe`
  t.is(await stage.stripe.postWebhook(to, 'payment_intent.succeeded', intentId, SECRET), 400, 'signed an hour ago')
})
