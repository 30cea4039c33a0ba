import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../support/numbers.js'
import { orders } from '../../../functions/orders/contract.js'
import { payments } from '../../../functions/payments/contract.js'
import { Refusal } from '../../../platform/contract/errors.js'
import type { Caller } from '../../../platform/contract/caller.js'
import type { Shopper } from './client.js'
import { DECLINED, type StripeStandIn } from './stripeStandIn.js'

/** What a buyer does with the order that it got. */
const HABITS = {
  paysAtOnce: 14,
  paysAtTheLastMoment: 22,
  paysTwice: 8,
  paysByCard: 8,
  paysInTheBrowser: 12,
  cancelsWhilePaying: 10,
  neverPays: 12,
  /** Has an admin take the purchase back: the ticket is for sale again. */
  regrets: 14,
  /** Starts to pay in the browser, and goes away. */
  abandons: 6,
  /** Has an admin give parts back, some at once. */
  wantsPartsBack: 8,
  /** Is given a part, or all, back in Stripe's dashboard. */
  refundedInDashboard: 8,
  /** A bank asks for it back, and decides, for the seller or for the buyer. */
  disputes: 8,
  /** Is given a part back, which Stripe then cannot deliver; an admin ends it. */
  refundFails: 6,
} as const
type Habit = keyof typeof HABITS

/** Around the end of the order: some before it, some after. */
const LAST_MOMENT_MS = { before: 300, spread: 700 }
const TRIES = 4
const LOOKS_AGAIN_AFTER_MS = 600
const DECLINED_SHARE = 0.15
const REGRETS_FOR_MS = 30_000

export interface RaceOptions {
  client: Shopper
  stripe: StripeStandIn
  webhook: { url: string; secret: string }
  ticketIds: readonly string[]
}

/** What the buyer was told; the auditor holds the system to it. */
export interface Told {
  buyer: string
  habit: Habit
  orders: string[]
  /** Charges that were answered, by what they were told to be. */
  charges: { id: string; state: string }[]
}

/** One buyer: wants a ticket, and goes about it in a way of its own, which the random numbers decide. */
export async function buy(buyer: Caller, random: Random, options: RaceOptions): Promise<Told> {
  const { client, ticketIds } = options
  const habit = drawHabit(random)
  const told: Told = { buyer: buyer.userId, habit, orders: [], charges: [] }
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const ticketId = ticketIds[Math.floor(random() * ticketIds.length)] as string
    const input = { orderId: client.newId(), ticketId }
    const order = await unlessRefused(client.call(orders.createOrder, input, buyer))
    if (!order) {
      await sleep(LOOKS_AGAIN_AFTER_MS * random())
      continue
    }
    told.orders.push(order.id)
    await act(habit, { buyer, order, random, told, ...options })
    break
  }
  return told
}

interface Scene extends RaceOptions {
  buyer: Caller
  order: { id: string; expiresAt: string }
  random: Random
  told: Told
}

async function act(habit: Habit, scene: Scene): Promise<void> {
  const { client, buyer, order, random } = scene
  switch (habit) {
    case 'paysAtOnce':
      return pay(scene, 'balance')
    case 'paysAtTheLastMoment':
      await lastMoment(scene)
      return pay(scene, random() < 0.5 ? 'balance' : 'stripe')
    case 'paysTwice':
      await Promise.all([pay(scene, 'balance'), pay(scene, 'stripe')])
      return
    case 'paysByCard':
      return pay(scene, 'stripe')
    case 'paysInTheBrowser':
      return payInBrowser(scene)
    case 'cancelsWhilePaying': {
      const cancelled = unlessRefused(client.call(orders.cancelOrder, { orderId: order.id }, buyer))
      await Promise.all([pay(scene, 'balance'), cancelled])
      return
    }
    case 'neverPays':
      return
    case 'regrets':
      await pay(scene, 'balance')
      return takeBack(scene, {})
    case 'abandons':
      await beginInBrowser(scene)
      return
    case 'wantsPartsBack':
      await pay(scene, random() < 0.5 ? 'balance' : 'stripe')
      await Promise.all([takeBack(scene, { amount: 200 }), takeBack(scene, { amount: 300 })])
      return random() < 0.5 ? takeBack(scene, {}) : undefined
    case 'refundedInDashboard':
    case 'disputes':
    case 'refundFails':
      return happensAtStripe(habit, scene)
  }
}

async function pay({ client, buyer, order, random, told }: Scene, method: 'balance' | 'stripe'): Promise<void> {
  const paymentMethodId = random() < DECLINED_SHARE ? DECLINED : 'pm_card_visa'
  const input = {
    chargeId: client.newId(),
    orderId: order.id,
    method,
    ...(method === 'stripe' && { paymentMethodId }),
  }
  const charge = await unlessRefused(client.call(payments.createCharge, input, buyer))
  if (charge) told.charges.push({ id: charge.id, state: charge.state })
}

async function beginInBrowser({ client, buyer, order, told }: Scene): Promise<string | undefined> {
  const input = { chargeId: client.newId(), orderId: order.id, method: 'stripe' as const }
  const charge = await unlessRefused(client.call(payments.createCharge, input, buyer))
  if (charge) told.charges.push({ id: charge.id, state: charge.state })
  return charge?.clientSecret?.replace(/_secret$/, '')
}

/** With the client secret; Stripe then says so. */
async function payInBrowser(scene: Scene): Promise<void> {
  const { stripe } = scene
  const intentId = await beginInBrowser(scene)
  if (intentId === undefined) return
  await lastMoment(scene)
  if (stripe.intents.get(intentId)?.status !== 'requires_payment_method') return
  stripe.payInBrowser(intentId)
  await post(scene, 'payment_intent.succeeded', intentId)
}

/** As Stripe does: until it is taken, and twice, perhaps to a process that is being killed. */
async function post({ stripe, webhook }: Scene, type: string, id: string): Promise<void> {
  for (let taken = 0; taken < 2;) {
    if ((await stripe.postWebhook(webhook.url, type, id, webhook.secret).catch(() => 0)) === 200) taken++
    else await sleep(LOOKS_AGAIN_AFTER_MS)
  }
}

async function happensAtStripe(what: 'refundedInDashboard' | 'disputes' | 'refundFails', scene: Scene): Promise<void> {
  const { client, stripe, random, told } = scene
  const drawn = random()
  await pay(scene, 'stripe')
  const [charge] = told.charges
  if (!charge || (await ended(scene, charge.id)) !== 'settled') return
  const intent = [...stripe.intents.values()].find(({ metadata }) => metadata['chargeId'] === charge.id)
  if (!intent) return
  const { books } = stripe
  if (what === 'refundedInDashboard') {
    books.refund(intent.id, drawn < 0.5 ? intent.amount : 250)
    const made = [...books.refunds.values()].findLast(({ intentId }) => intentId === intent.id)
    if (made) await post(scene, 'refund.created', made.id)
  } else if (what === 'disputes') {
    const dispute = books.dispute(intent.id, drawn < 0.5 ? {} : { amount: 400 })
    await post(scene, 'charge.dispute.created', dispute.id)
    dispute.status = random() < 0.5 ? 'won' : 'lost'
    await post(scene, 'charge.dispute.closed', dispute.id)
  } else {
    await takeBack(scene, { amount: 350 })
    const made = [...books.refunds.values()].findLast(({ intentId }) => intentId === intent.id)
    if (!made) return
    made.status = 'failed'
    await post(scene, 'refund.failed', made.id)
    const { refunds } = await client.call(payments.getCharge, { chargeId: charge.id })
    const refundId = refunds.find(({ state }) => state === 'failed')?.id
    const how = drawn < 0.5 ? ('retry' as const) : ('to_seller' as const)
    // A second one finds that the first, whose reply was lost, has ended it.
    if (refundId !== undefined)
      await unlessRefused(client.call(payments.resolveRefund, { chargeId: charge.id, refundId, how }))
  }
}

/** What the charge has come to, once its order has decided. */
async function ended({ client }: Scene, chargeId: string): Promise<string> {
  for (const giveUpAt = Date.now() + REGRETS_FOR_MS; ;) {
    const { state } = await client.call(payments.getCharge, { chargeId })
    if (['settled', 'failed', 'refunded'].includes(state) || Date.now() > giveUpAt) return state
    await sleep(LOOKS_AGAIN_AFTER_MS)
  }
}

/** As soon as the order has decided, which a charge that was only just paid still waits for. */
async function takeBack({ client, told }: Scene, part: { amount?: number }): Promise<void> {
  const [charge] = told.charges
  if (!charge) return
  const input = { chargeId: charge.id, refundId: client.newId(), ...part }
  for (const giveUpAt = Date.now() + REGRETS_FOR_MS; Date.now() < giveUpAt;) {
    try {
      await client.call(payments.refundCharge, input)
      return
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.code === 'refund_exceeds_charge') return
      if (error.code !== 'charge_not_refundable') throw error
      await sleep(LOOKS_AGAIN_AFTER_MS)
    }
  }
}

const lastMoment = ({ order, random }: Scene): Promise<void> => {
  const { before, spread } = LAST_MOMENT_MS
  return sleep(Math.max(0, Date.parse(order.expiresAt) - Date.now() - before + random() * spread))
}

async function unlessRefused<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (!(error instanceof Refusal) || !EXPECTED.includes(error.code)) throw error
    return undefined
  }
}

/** What a buyer may be told in a race. Anything else ends it. */
const EXPECTED: readonly string[] = [
  'ticket_reserved',
  'order_complete',
  'order_cancelled',
  'insufficient_funds',
  'payment_declined',
  'refund_not_resolvable',
]

function drawHabit(random: Random): Habit {
  const habits = Object.entries(HABITS) as [Habit, number][]
  let left = random() * habits.reduce((sum, [, weight]) => sum + weight, 0)
  return (habits.find(([, weight]) => (left -= weight) < 0) ?? habits[0])?.[0] ?? 'neverPays'
}
