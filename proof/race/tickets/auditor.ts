import type { mongo } from 'mongoose'
import type { Told } from './buyers.js'
import type { StripeBooks } from './stripeBooks.js'

/**
 * Holds the collections as they are against each other, against what Stripe has, and against what the buyers were told.
 * It knows the documents, and nothing of the code that wrote them.
 */
export interface RaceAudit {
  violations: string[]
  figures: Record<string, number>
}

export interface Evidence {
  db: mongo.Db
  stripe: StripeBooks
  told: readonly Told[]
  /** Of every buyer, at the start. */
  openingBalance: number
}

type Doc = mongo.WithId<mongo.Document>

export async function auditRace({ db, stripe, told, openingBalance }: Evidence): Promise<RaceAudit> {
  const read = (collection: string): Promise<Doc[]> => db.collection(collection).find().toArray()
  const [tickets, orders, charges, users, events, expirations, payments] = (await Promise.all(
    ['tickets', 'orders', 'charges', 'users', 'events', 'expirations', 'payments'].map(read),
  )) as [Doc[], Doc[], Doc[], Doc[], Doc[], Doc[], Doc[]]
  const orderCopies = await read('orderCopies')

  const violations: string[] = []
  const must = (holds: boolean, what: string): void => {
    if (!holds) violations.push(what)
  }
  const byId = (docs: Doc[]): Map<string, Doc> => new Map(docs.map((each) => [String(each._id), each]))
  const [orderOf, chargeOf, userOf] = [byId(orders), byId(charges), byId(users)]
  const complete = orders.filter(({ state }) => state === 'complete')

  must(events.length === 0, `${events.length} events were not delivered`)
  must(expirations.length === 0, `${expirations.length} timers still run`)
  for (const { _id, state } of payments) must(FINAL.includes(state as string), `payment ${String(_id)} is ${state}`)

  // Each ticket has at most one buyer, and is locked by a living order alone.
  for (const ticket of tickets) {
    const sold = complete.filter(({ ticketId }) => String(ticketId) === String(ticket._id))
    must(sold.length <= 1, `ticket ${String(ticket._id)} was sold ${sold.length} times`)
    const lock = ticket['orderId'] === undefined ? 'nobody' : String(ticket['orderId'])
    const expected = sold[0] ? String(sold[0]._id) : 'nobody'
    must(lock === expected, `ticket ${String(ticket._id)} is locked by ${lock}, not by ${expected}`)
  }
  for (const { _id, state } of orders) must(ENDED.includes(state as string), `order ${String(_id)} is still ${state}`)

  // Each charge completed its order, or nothing was taken, or all went back; and Stripe has to the cent what it says.
  for (const charge of charges) {
    const name = `charge ${String(charge._id)} (${charge['method']}, ${charge['state']})`
    const order = orderOf.get(String(charge['orderId']))
    const completed = order?.['state'] === 'complete' && String(order['chargeId']) === String(charge._id)
    if (completed) must(charge['state'] === 'settled', `${name} completed its order`)
    else must(['refunded', 'failed'].includes(charge['state'] as string), `${name} completed no order`)
    const { amount, standing, refunded } = moneyOf(charge)
    must(standing <= amount, `${name} of ${amount} has refunds of ${standing}`)
    must(standing + (charge['left'] as number) === amount, `${name} has ${charge['left']} left of ${amount}`)
    must(refunded === standing, `${name} has given back ${refunded} of ${standing}`)
    const intent = stripe.intents.get(charge['intentId'] as string)
    const kept = intent ? stripe.keptOf(intent.id) : 0
    const expected = charge['method'] === 'balance' || charge['state'] === 'failed' ? 0 : amount - refunded
    must(kept === expected, `${name}: Stripe keeps ${kept}, not ${expected}, of ${JSON.stringify(intent)}`)
    must(intent?.status !== 'requires_payment_method', `${name} left its intent open`)
  }
  for (const order of complete) {
    const charge = chargeOf.get(String(order['chargeId']))
    must(
      charge?.['amount'] === order['price'],
      `order ${String(order._id)} of ${order['price']} was paid ${charge?.['amount']}`,
    )
  }
  const intentIds = charges.map(({ intentId }) => intentId as string | undefined)
  for (const { id, status } of stripe.intents.values())
    must(status !== 'succeeded' || intentIds.includes(id), `Stripe took ${id}, which no charge knows`)

  // Each buyer paid exactly for what was completed, less what went back; each seller received exactly that.
  const spent = new Map<string, number>()
  const add = (userId: unknown, change: number): void => {
    spent.set(String(userId), (spent.get(String(userId)) ?? 0) + change)
  }
  for (const charge of charges.filter(({ state }) => state === 'settled')) {
    const { amount, refunded, debited } = moneyOf(charge)
    add(charge['sellerId'], amount - debited)
    if (charge['method'] === 'balance') add(charge['userId'], refunded - amount)
  }
  const buyers = new Set(told.map(({ buyer }) => buyer))
  for (const [userId, user] of userOf) {
    const expected = (buyers.has(userId) ? openingBalance : 0) + (spent.get(userId) ?? 0)
    must(user['balance'] === expected, `user ${userId} has ${user['balance']}, not ${expected}`)
  }

  // All copies are as their owners are.
  const compare = (copies: Doc[], owners: Doc[], fields: readonly string[]): void => {
    const known = byId(copies)
    for (const owner of owners) {
      const copy = known.get(String(owner._id))
      const differs = fields.filter((field) => String(copy?.[field] ?? null) !== String(owner[field] ?? null))
      must(differs.length === 0, `the copy of ${String(owner._id)} differs in ${differs.join(', ')}`)
    }
  }
  compare(orderCopies, orders, ['userId', 'sellerId', 'ticketId', 'price', 'state', 'reason', 'chargeId', 'version'])

  // What a buyer was told is there.
  for (const each of told) {
    for (const id of each.orders) must(orderOf.has(id), `order ${id}, which ${each.buyer} was told of, is gone`)
    for (const { id, state } of each.charges) {
      const now = chargeOf.get(id)?.['state'] as string | undefined
      const holds = state === 'pending' ? now !== undefined : now === 'settled' || now === 'refunded'
      must(holds, `charge ${id}, told as ${state}, is ${now}`)
    }
  }

  const refunds = charges.flatMap((charge) => charge['refunds'] as Doc[])
  const count = (docs: Doc[], field: string, value: string): number =>
    docs.filter((each) => each[field] === value).length
  return {
    violations,
    figures: {
      tickets: tickets.length,
      sold: complete.length,
      orders: orders.length,
      expired: count(orders, 'reason', 'expired'),
      'cancelled by the buyer': count(orders, 'reason', 'cancelled_by_user'),
      'completed after they had expired': complete.filter(({ hold, version }) => hold > 1 && version > 2).length,
      charges: charges.length,
      settled: count(charges, 'state', 'settled'),
      refunded: count(charges, 'state', 'refunded'),
      failed: count(charges, 'state', 'failed'),
      'given up with their order': count(charges, 'reason', 'order_expired'),
      'refunded: the ticket was taken': count(charges, 'reason', 'ticket_taken'),
      'refunded: the order was paid already': count(charges, 'reason', 'order_complete'),
      'refunded: the order was cancelled': count(charges, 'reason', 'order_cancelled'),
      'taken back by an admin': count(charges, 'reason', 'refunded_by_admin'),
      'refunds by admins': count(refunds, 'origin', 'admin'),
      'refunds in the dashboard': count(refunds, 'origin', 'stripe'),
      disputes: count(refunds, 'origin', 'dispute'),
      'refunds rejected': count(refunds, 'state', 'rejected'),
    },
  }
}

/** What the refunds of a charge add up to. */
function moneyOf(charge: Doc): Record<'amount' | 'standing' | 'refunded' | 'debited', number> {
  const refunds = charge['refunds'] as { amount: number; state: string; seller: string }[]
  const sum = (wanted: (refund: (typeof refunds)[number]) => boolean): number =>
    refunds.filter(wanted).reduce((total, { amount }) => total + amount, 0)
  return {
    amount: charge['amount'] as number,
    standing: sum(({ state }) => state !== 'rejected'),
    refunded: sum(({ state }) => state === 'refunded'),
    debited: sum(({ seller }) => seller === 'debited'),
  }
}

const FINAL = ['COMMITTED', 'CANCELLED']
const ENDED = ['complete', 'cancelled']
