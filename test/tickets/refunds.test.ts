import test, { type ExecutionContext } from 'ava'
import { bookings } from '../../functions/bookings/contract.js'
import { events } from '../../functions/events/contract.js'
import { feeds } from '../../functions/feeds/contract.js'
import { payments } from '../../functions/payments/contract.js'
import { users } from '../../functions/users/contract.js'
import type { Caller } from '../../platform/contract/caller.js'
import type { StripeRefund } from '../../proof/race/tickets/stripeBooks.js'
import { createStripeStage, buy, type Purchase, type StripeStage } from './stripeStage.js'
import { PRICE } from './support.js'

/** What Stripe keeps of every purchase is what the books say: paid, less what went back to the buyers. */
async function assertAgreed(t: ExecutionContext, { store, stripe }: StripeStage, purchases: Purchase[]): Promise<void> {
  await store.settle()
  t.deepEqual((await store.run(bookings.auditBooks, {})).violations, [])
  for (const each of purchases) {
    const { amount, refunds } = await each.charge()
    const away = refunds
      .filter(({ state, reason }) => !['failed', 'rejected'].includes(state) && reason !== 'paid_outside')
      .reduce((sum, refund) => sum + refund.amount, 0)
    t.is(stripe.books.keptOf(each.intent().id), amount - away, `what Stripe keeps of ${each.chargeId}`)
  }
}

const spendAll = async ({ store }: StripeStage, seller: Caller): Promise<void> => {
  const amount = await store.balanceOf(seller)
  await store.run(users.withdrawFunds, { userId: seller.userId, amount })
}

for (const method of ['stripe', 'balance'] as const)
  test.serial(`several parts go back of what was paid by ${method}, never more than that, each once`, async (t) => {
    const stage = await createStripeStage(t)
    const { store } = stage
    const admin = await store.makeUser({ role: 'admin' })
    const bought = await buy(stage, { method })
    const { chargeId, buyer, seller, orderId } = bought
    const had = await store.balanceOf(buyer)
    const part = { chargeId, refundId: store.newId(), amount: 400 }
    t.like(await store.run(payments.refundCharge, part, admin), { state: 'settled', refunded: 400 })
    t.like(await store.run(payments.refundCharge, part, admin), { state: 'settled', refunded: 400 }, 'once')
    t.is((await store.refused(payments.refundCharge, { ...part, amount: 401 }, admin)).code, 'refund_id_reused')
    t.is((await store.refused(payments.refundCharge, part)).code, 'refund_id_reused', 'of another caller')
    const tooMuch = await store.refused(payments.refundCharge, { chargeId, amount: PRICE - 399 })
    t.is(tooMuch.code, 'refund_exceeds_charge')
    t.deepEqual(tooMuch.details, { left: PRICE - 400 })
    await store.settle()
    t.is(await store.orderOf(orderId), 'complete')
    t.is(await store.balanceOf(seller), PRICE - 400)

    // Ten at once want 200 each of 1,100: five get it.
    const many = await Promise.allSettled(
      Array.from({ length: 10 }, () => store.run(payments.refundCharge, { chargeId, amount: 200 })),
    )
    t.is(many.filter(({ status }) => status === 'fulfilled').length, 5)
    t.like(await bought.charge(), { state: 'settled', refunded: 1400 })
    const other = await buy(stage, { method })
    const elsewhere = { chargeId: other.chargeId, refundId: part.refundId }
    t.is((await store.refused(payments.refundCharge, elsewhere, admin)).code, 'refund_id_reused')

    // The seller must have it.
    await spendAll(stage, seller)
    const last = { chargeId, refundId: store.newId() }
    t.is((await store.refused(payments.refundCharge, last)).code, 'insufficient_funds')
    await store.run(users.depositFunds, { userId: seller.userId, amount: 100 })
    t.is((await store.refused(payments.refundCharge, last)).code, 'insufficient_funds', 'the first outcome')
    t.like(await store.run(payments.refundCharge, { chargeId }), { state: 'refunded', refunded: PRICE })
    t.like(await store.run(payments.refundCharge, { chargeId }), { state: 'refunded' }, 'nothing is left')
    t.is((await store.refused(payments.refundCharge, { chargeId, amount: 1 })).code, 'refund_exceeds_charge')
    await store.settle()
    t.is(await store.orderOf(orderId), 'cancelled: refunded')
    t.is(await store.balanceOf(buyer), method === 'balance' ? PRICE : had)
    t.is(await store.balanceOf(seller), 0)
    if (method === 'stripe') await assertAgreed(t, stage, [bought, other])
    t.deepEqual((await store.run(bookings.auditBooks, {})).violations, [])
  })

test.serial('what Stripe answers to a refund, at once or later, becomes of it', async (t) => {
  const stage = await createStripeStage(t)
  const { store, stripe, webhook } = stage
  const all: Purchase[] = []
  const begin = async (status: StripeRefund['status']): Promise<[Purchase, StripeRefund]> => {
    const bought = await buy(stage)
    all.push(bought)
    stripe.books.refundsBecome = status
    await store.run(payments.refundCharge, { chargeId: bought.chargeId, amount: 500 })
    stripe.books.refundsBecome = 'succeeded'
    return [bought, [...stripe.books.refunds.values()].at(-1) as StripeRefund]
  }
  const become = async (refund: StripeRefund, status: StripeRefund['status'], type: string): Promise<void> => {
    refund.status = status
    if (status === 'failed') refund.failureReason = 'lost_or_stolen_card'
    t.is(await webhook(type, refund.id), 200)
    t.is(await webhook(type, refund.id), 200, 'twice')
  }

  for (const status of ['pending', 'requires_action'] as const) {
    const [bought, refund] = await begin(status)
    t.deepEqual(await bought.refunds(), ['pending debited 500: refunded_by_admin'], status)
    t.is((await bought.charge()).refunded, 0)
    await become(refund, 'succeeded', 'refund.updated')
    t.deepEqual(await bought.refunds(), ['refunded debited 500: refunded_by_admin'])
  }
  // It fails: at once, on its way, and after it had succeeded. An admin ends it, in each of the ways that there are.
  const resolve = async (
    { chargeId, charge }: Purchase,
    how: 'retry' | 'to_balance' | 'paid_outside' | 'to_seller',
  ) => {
    const refundId = (await charge()).refunds[0]?.id ?? ''
    return store.run(payments.resolveRefund, { chargeId, refundId, how })
  }
  const [retried] = await begin('failed')
  t.deepEqual(await retried.refunds(), ['failed debited 500: refunded_by_admin'])
  const listed = await store.run(payments.listCharges, { attention: true })
  t.deepEqual(
    listed.items.map(({ id }) => id),
    [retried.chargeId],
  )
  t.deepEqual((await store.run(bookings.auditBooks, {})).unresolvedCharges, [retried.chargeId])
  t.is((await resolve(retried, 'retry')).refunds[0]?.state, 'refunded')
  t.is(
    (
      await store.refused(payments.resolveRefund, {
        chargeId: retried.chargeId,
        refundId: (await retried.charge()).refunds[0]?.id ?? '',
        how: 'retry',
      })
    ).code,
    'refund_not_resolvable',
  )

  const [toBalance, cancelled] = await begin('requires_action')
  await become(cancelled, 'canceled', 'charge.refund.updated')
  t.deepEqual(await toBalance.refunds(), ['failed debited 500: refunded_by_admin'])
  const before = await store.balanceOf(toBalance.buyer)
  await resolve(toBalance, 'to_balance')
  t.is(await store.balanceOf(toBalance.buyer), before + 500)

  const [outside, later] = await begin('succeeded')
  await become(later, 'failed', 'refund.failed')
  t.like((await outside.charge()).refunds[0], { state: 'failed', stripeStatus: 'failed: lost_or_stolen_card' })
  await resolve(outside, 'paid_outside')
  t.deepEqual(await outside.refunds(), ['refunded debited 500: paid_outside'])

  const [toSeller, pending] = await begin('pending')
  pending.status = 'failed'
  store.clock.advance(store.config.recovery.stuckAfterMs + 1)
  t.is((await store.run(payments.recoverCharges, {}, null)).moved, 1, 'without a webhook')
  await resolve(toSeller, 'to_seller')
  t.deepEqual(await toSeller.refunds(), ['rejected credited 500: to_seller'])
  t.is(await store.balanceOf(toSeller.seller), PRICE)

  await assertAgreed(
    t,
    stage,
    all.filter((each) => each !== toBalance),
  )
  const admin = await store.makeUser({ role: 'admin' })
  const [told] = await begin('failed')
  await store.settle()
  const { entries } = await store.run(feeds.readFeed, { feed: `user:${admin.userId}`, after: 0 }, null)
  t.deepEqual(
    entries.map(({ name, data }) => [name, data['chargeId']]),
    [['refund:failed', told.chargeId]],
  )
  // The same event once more: sockets know it by its key.
  const [event] = entries.map(({ key }) => key)
  const payload = { alert: { name: 'refund:failed', message: 'x', chargeId: told.chargeId, amount: 500 } }
  const again = {
    type: 'charge:updated' as const,
    aggregate: { type: 'charge', id: told.chargeId },
    version: 3,
    payload,
  }
  const createdAt = store.clock.now().toISOString()
  await store.run(events.alertAdmins, { eventId: event ?? '', ...again, createdAt }, null)
  t.is((await store.run(feeds.readFeed, { feed: `user:${admin.userId}`, after: 0 }, null)).entries.length, 1)
})

test.serial(
  'what Stripe gives back without us is taken from the seller, and a ticket that is paid back is gone',
  async (t) => {
    const stage = await createStripeStage(t)
    const { store, stripe, webhook } = stage
    const bought = await buy(stage)
    const { id } = bought.intent()
    stripe.books.refund(id, 300)
    t.is(
      await webhook('charge.dispute.created', stripe.books.dispute(id, { status: 'warning_needs_response' }).id),
      200,
    )
    t.deepEqual(await bought.refunds(), ['refunded debited 300: refunded_at_stripe', 'disputed none 0: disputed'])
    // Of what is left by then, at Stripe and here.
    stripe.books.refund(id, 1000)
    const refused = await store.refused(payments.refundCharge, { chargeId: bought.chargeId, amount: 1200 })
    t.is(refused.code, 'refund_exceeds_charge')
    const known = await bought.refunds()
    t.deepEqual(known.slice(2), [
      'rejected credited 1200: refund_exceeds_charge',
      'refunded debited 1000: refunded_at_stripe',
    ])
    t.is(await store.balanceOf(bought.seller), 200)
    t.is(await store.orderOf(bought.orderId), 'complete')
    stripe.books.refund(id, 200)
    t.is(await webhook('refund.created', [...stripe.books.refunds.keys()].at(-1) ?? ''), 200)
    await store.settle()
    t.is(await store.chargeOf(bought.chargeId), 'refunded: refunded_at_stripe')
    t.is(await store.orderOf(bought.orderId), 'cancelled: refunded')
    t.is(await store.balanceOf(bought.seller), 0)

    // The seller has spent it: the buyer has the money all the same, so the ticket goes, and the seller owes.
    const spent = await buy(stage)
    await spendAll(stage, spent.seller)
    stripe.books.refund(spent.intent().id, PRICE)
    t.is(await webhook('refund.created', [...stripe.books.refunds.keys()].at(-1) ?? ''), 200)
    await store.settle()
    t.deepEqual(await spent.refunds(), [`refunded owes ${PRICE}: refunded_at_stripe`])
    t.is(await store.orderOf(spent.orderId), 'cancelled: refunded')
    const refundId = (await spent.charge()).refunds[0]?.id ?? ''
    const end = (how: 'collect' | 'waive') =>
      store.run(payments.resolveRefund, { chargeId: spent.chargeId, refundId, how })
    await end('collect')
    t.like(await spent.charge(), { attention: true }, 'it still does not cover it')
    await store.run(users.depositFunds, { userId: spent.seller.userId, amount: PRICE })
    await end('collect')
    t.like((await spent.charge()).refunds[0], { seller: 'debited' })
    t.is(await store.balanceOf(spent.seller), 0)
    await assertAgreed(t, stage, [bought, spent])
  },
)

test.serial('a dispute takes the money from the seller until the bank has decided', async (t) => {
  const stage = await createStripeStage(t)
  const { store, stripe, webhook } = stage
  const dispute = async (options?: { amount?: number; status?: string; broke?: boolean }) => {
    const bought = await buy(stage)
    if (options?.broke) await spendAll(stage, bought.seller)
    const opened = stripe.books.dispute(bought.intent().id, options)
    return { bought, opened, ...bought }
  }
  const become = async (opened: { id: string; status: string }, status: string): Promise<void> => {
    opened.status = status
    t.is(await webhook('charge.dispute.updated', opened.id), 200)
    await store.settle()
  }

  // The refund meets it before its webhook comes.
  const lost = await dispute()
  t.is((await store.refused(payments.refundCharge, { chargeId: lost.chargeId })).code, 'charge_disputed')
  t.deepEqual(await lost.refunds(), [
    `rejected credited ${PRICE}: charge_disputed`,
    `disputed debited ${PRICE}: disputed`,
  ])
  t.is((await store.refused(payments.refundCharge, { chargeId: lost.chargeId })).code, 'charge_disputed')
  t.is(await webhook('charge.dispute.created', lost.opened.id), 200)
  t.is((await lost.charge()).refunds.length, 2, 'it counts once')
  t.is(await store.balanceOf(lost.seller), 0)
  t.is(await store.orderOf(lost.orderId), 'complete', 'nobody knows yet')
  await become(lost.opened, 'under_review')
  await become(lost.opened, 'lost')
  t.is(await store.chargeOf(lost.chargeId), 'refunded: disputed')
  t.is(await store.orderOf(lost.orderId), 'cancelled: refunded')

  const won = await dispute({ amount: 600 })
  await become(won.opened, 'needs_response')
  t.is(await store.balanceOf(won.seller), PRICE - 600)
  await become(won.opened, 'won')
  t.is(await store.balanceOf(won.seller), PRICE)
  t.deepEqual(await won.refunds(), ['rejected credited 600: dispute_won'])

  // A question first, then a dispute, of a seller who has spent it.
  const broke = await dispute({ status: 'warning_needs_response', broke: true })
  await become(broke.opened, 'warning_under_review')
  t.deepEqual(await broke.refunds(), ['disputed none 0: disputed'])
  await become(broke.opened, 'needs_response')
  t.deepEqual(await broke.refunds(), ['disputed none 0: disputed', `disputed owes ${PRICE}: disputed`])
  await become(broke.opened, 'won')
  t.deepEqual(await broke.refunds(), ['rejected none 0: dispute_won', `rejected none ${PRICE}: dispute_won`])
  t.like(await broke.charge(), { attention: false, state: 'settled' })

  // An appeal brings back what was lost: we hold it, and an admin says for whom.
  const appealed = await dispute()
  await become(appealed.opened, 'lost')
  t.is(await store.orderOf(appealed.orderId), 'cancelled: refunded')
  await become(appealed.opened, 'won')
  t.deepEqual(await appealed.refunds(), [`failed debited ${PRICE}: disputed`])
  await assertAgreed(t, stage, [lost, won, broke, appealed])
})

test.serial(
  'what Stripe gave back is one refund here, also where one of ours is refused for it meanwhile',
  async (t) => {
    const stage = await createStripeStage(t)
    const { store, stripe, webhook } = stage
    const bought = await buy(stage)
    const { chargeId, seller } = bought
    const amount = PRICE - 500
    let given = false
    stripe.onRequest(async (request) => {
      const isOurs = request === 'POST /v1/refunds' && !given
      given ||= isOurs
      if (!isOurs) return 'answer' as const
      // Our own is on its way, its amount taken out of what is left.
      stripe.books.refund(bought.intent().id, amount)
      const [made] = [...stripe.books.refunds.keys()].slice(-1)
      t.is(await webhook('refund.created', made ?? ''), 200)
      return 'answer' as const
    })
    const admin = await store.makeUser({ role: 'admin' })
    const refused = await store.refused(payments.refundCharge, { chargeId, amount }, admin)
    t.is(refused.code, 'refund_exceeds_charge')
    t.deepEqual(await bought.refunds(), [
      `rejected credited ${amount}: refund_exceeds_charge`,
      `refunded debited ${amount}: refunded_at_stripe`,
    ])
    t.is(await store.balanceOf(seller), 500)
    await assertAgreed(t, stage, [bought])
  },
)
