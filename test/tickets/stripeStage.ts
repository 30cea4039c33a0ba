import type { ExecutionContext } from 'ava'
import { payments } from '../../functions/payments/contract.js'
import type { Caller } from '../../platform/contract/caller.js'
import type { Output } from '../../platform/contract/contract.js'
import type { Intent } from '../../proof/race/tickets/stripeBooks.js'
import { startStripeStandIn, type StripeStandIn } from '../../proof/race/tickets/stripeStandIn.js'
import { createWebhooks } from '../../webhooks/server.js'
import { createStore, PRICE, type Store } from './support.js'

export const SECRET = 'whsec_test'

export interface StripeStage {
  store: Store
  stripe: StripeStandIn
  /** Posts a webhook about an intent, a refund or a dispute; answers the status. */
  webhook(type: string, id: string, secret?: string): Promise<number>
}

/** A store that takes payments by Stripe's stand-in, and hears its webhooks. */
export async function createStripeStage(t: ExecutionContext): Promise<StripeStage> {
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
  return {
    store,
    stripe,
    webhook: (type, id, secret = SECRET) => stripe.postWebhook(`http://127.0.0.1:${port}/stripe`, type, id, secret),
  }
}

/** Listens for webhooks; answers the port, any that is free. Signatures carry the time of the machine that signs. */
export async function takeWebhooks(t: ExecutionContext, store: Store, now = () => new Date()): Promise<number> {
  const { webhooks: where, ...config } = store.config
  const webhooks = createWebhooks({ ...store, config: { ...config, webhooks: { ...where, port: 0 } }, now })
  t.teardown(() => webhooks.close())
  return webhooks.listen()
}

/** A purchase, and what is asked of it. */
export interface Purchase {
  seller: Caller
  buyer: Caller
  orderId: string
  chargeId: string
  charge(): Promise<Output<typeof payments.getCharge>>
  /** By Stripe: the charge's intent. */
  intent(): Intent
  /** `<state> <seller's part> <amount>: <reason>` of each refund. */
  refunds(): Promise<string[]>
}

export interface Wanted {
  method?: 'balance' | 'stripe'
  paymentMethodId?: string | undefined
  price?: number
}

/** An order, and a charge of it that is under way; rejects where that is refused. */
export async function order({ store, stripe }: StripeStage, { price = PRICE }: Wanted = {}): Promise<Purchase> {
  const { ticketId, seller } = await store.sell({ price })
  const buyer = await store.makeUser({ balance: price })
  const orderId = await store.order(buyer, ticketId)
  const chargeId = store.newId()
  const charge = () => store.run(payments.getCharge, { chargeId })
  return {
    seller,
    buyer,
    orderId,
    chargeId,
    charge,
    intent: () => [...stripe.intents.values()].find(({ metadata }) => metadata['chargeId'] === chargeId) as Intent,
    refunds: async () =>
      (await charge()).refunds.map(
        ({ state, seller: part, amount, reason }) => `${state} ${part} ${amount}: ${reason}`,
      ),
  }
}

export const pay = (stage: StripeStage, { buyer, orderId, chargeId }: Purchase, wanted: Wanted = {}) => {
  const { method = 'stripe', paymentMethodId = 'pm_card_visa' } = wanted
  const how = method === 'stripe' && 'paymentMethodId' in wanted ? wanted.paymentMethodId : paymentMethodId
  const input = { chargeId, orderId, method, ...(method === 'stripe' && how && { paymentMethodId: how }) }
  return stage.store.run(payments.createCharge, input, buyer)
}

/** A purchase that is complete, its seller credited. */
export async function buy(stage: StripeStage, wanted: Wanted = {}): Promise<Purchase> {
  const purchase = await order(stage, wanted)
  await pay(stage, purchase, wanted)
  await stage.store.settle()
  return purchase
}
