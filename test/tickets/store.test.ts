import test, { type ExecutionContext } from 'ava'
import { bookings } from '../../functions/bookings/contract.js'
import { feeds } from '../../functions/feeds/contract.js'
import { orders } from '../../functions/orders/contract.js'
import { payments } from '../../functions/payments/contract.js'
import { tickets } from '../../functions/tickets/contract.js'
import { users } from '../../functions/users/contract.js'
import { createStore, PRICE, type Store } from './support.js'

const NOBODY = 'f'.repeat(24)

/** Every copy is as its owner is, and the books balance. */
async function assertSettled(t: ExecutionContext, store: Store): Promise<void> {
  await store.settle()
  const { violations } = await store.run(bookings.auditBooks, {})
  t.deepEqual(violations, [])
  const all = (collection: string, fields: string[]) =>
    store.databases
      .connection('orders')
      .collection(collection)
      .find({}, { projection: Object.fromEntries(fields.map((each) => [each, 1])), sort: { _id: 1 } })
      .toArray()
      .then((found) => found.map((each) => fields.map((field) => String(each[field] ?? null))))
  const orderFields = ['_id', 'userId', 'sellerId', 'ticketId', 'price', 'state', 'reason', 'chargeId', 'version']
  t.deepEqual(await all('orderCopies', orderFields), await all('orders', orderFields))
}

test('an order takes the price of now, and the ticket is locked when it is answered, though no event was delivered', async (t) => {
  const store = await createStore(t)
  const { ticketId, seller } = await store.sell()
  const buyer = await store.makeUser({ balance: 5000 })
  const { version } = await store.run(
    tickets.updateTicket,
    { ticketId, version: 0, set: { price: PRICE + 500 } },
    seller,
  )

  const order = { orderId: store.newId(), ticketId, maxPrice: PRICE }
  const { code, details } = await store.refused(orders.createOrder, order, buyer)
  t.deepEqual([code, details], ['price_changed', { price: PRICE + 500 }])
  t.is(await store.lockOf(ticketId), undefined)

  const paid = { ...order, maxPrice: PRICE + 500 }
  const { id, price } = await store.run(orders.createOrder, paid, buyer)
  t.is(price, PRICE + 500)
  t.is(await store.lockOf(ticketId), id)
  const late = { ticketId, version: version + 1, set: { title: 'Another concert' } }
  t.is((await store.refused(tickets.updateTicket, late, seller)).code, 'ticket_reserved')
  t.like(await store.run(orders.createOrder, paid, buyer), { id, price }, 'the same request again')
  await store.dispatch()
  await assertSettled(t, store)
})

test('a buyer has so many open orders, however many are asked for at once, and leaves what they let go to others', async (t) => {
  const store = await createStore(t, { env: { MAX_OPEN_ORDERS: '3', ORDER_PAUSE_MS: '60000' } })
  const buyer = await store.makeUser()
  const other = await store.makeUser()
  const on = await Promise.all(Array.from({ length: 6 }, () => store.sell()))
  const codes = await Promise.all(
    on.map(({ ticketId }) =>
      store.run(orders.createOrder, { ticketId }, buyer).then(
        ({ ticketId }) => ticketId,
        (error: { code: string }) => error.code,
      ),
    ),
  )
  t.is(codes.filter((code) => code === 'too_many_orders').length, 3, codes.join())
  const held = on.filter(({ ticketId }) => codes.includes(ticketId))
  t.is(held.length, 3)

  const ticketId = held[0]?.ticketId ?? ''
  const { items } = await store.run(orders.listOrders, {}, buyer)
  const order = items.find((each) => each.ticketId === ticketId)
  await store.run(orders.cancelOrder, { orderId: order?.id ?? '' }, buyer)
  const { code, details } = await store.refused(orders.createOrder, { ticketId }, buyer)
  t.deepEqual([code, details], ['order_too_soon', { retryAfterMs: 60_000 }])
  const elsewhere = await store.sell()
  await store.run(orders.createOrder, { ticketId: elsewhere.ticketId }, buyer)
  store.clock.advance(59_999)
  t.is((await store.refused(orders.createOrder, { ticketId }, buyer)).code, 'order_too_soon')
  const theirs = await store.run(orders.createOrder, { ticketId }, other)
  await store.run(orders.cancelOrder, { orderId: theirs.id }, other)
  t.is((await store.refused(orders.createOrder, { ticketId }, buyer)).code, 'too_many_orders')
})

test('a lock follows the newest hold, whenever word of an older one comes', async (t) => {
  const store = await createStore(t)
  const { ticketId } = await store.sell()
  const [first, second] = [store.newId(), store.newId()]
  const tell = (id: string, hold: number, state = 'created') =>
    store.run(tickets.reserveTicket, { id, ticketId, hold, state }, null)
  await tell(second, 2)
  await tell(first, 1)
  await tell(first, 1, 'cancelled')
  t.is(await store.lockOf(ticketId), second)
  await tell(second, 2, 'cancelled')
  await tell(second, 2)
  t.is(await store.lockOf(ticketId), undefined)
})

test('a ticket is ordered, paid from the balance, and sold: the buyer pays once, the seller is credited once', async (t) => {
  const store = await createStore(t)
  await store.dispatch()
  const { ticketId, seller } = await store.sell()
  const buyer = await store.makeUser({ balance: 2000 })
  const input = { orderId: store.newId(), ticketId }
  const order = await store.run(orders.createOrder, input, buyer)
  t.like(order, { id: input.orderId, userId: buyer.userId, ticketId, price: PRICE, state: 'created', version: 0 })
  await store.settle()
  t.is(await store.orderOf(order.id), 'awaiting_payment')
  t.is(await store.lockOf(ticketId), order.id)

  const chargeId = await store.pay(buyer, order.id)
  await store.settle()
  t.is(await store.orderOf(order.id), 'complete')
  t.is(await store.chargeOf(chargeId), 'settled')
  t.is(await store.balanceOf(buyer), 500)
  t.is(await store.balanceOf(seller), PRICE)

  await store.expire(order.id)
  await store.settle()
  t.is(await store.orderOf(order.id), 'complete', 'a timer that rings for a paid order')
  t.is(await store.lockOf(ticketId), order.id, 'a sold ticket stays locked')
  t.is((await store.run(orders.createOrder, input, buyer)).state, 'complete', 'the same request: the first outcome')
  t.is(await store.pay(buyer, order.id, chargeId), chargeId)
  const { items } = await store.run(payments.listCharges, { orderId: order.id }, buyer)
  t.deepEqual(
    items.map(({ id, state }) => [id, state]),
    [[chargeId, 'settled']],
  )
  t.is((await store.run(orders.listOrders, { state: 'complete' }, buyer)).items.length, 1)
  await assertSettled(t, store)
})

test('a ticket that costs nothing is ordered, paid, and taken back as any other', async (t) => {
  const store = await createStore(t)
  await store.dispatch()
  const { ticketId, seller } = await store.sell({ price: 0 })
  const buyer = await store.makeUser()
  const orderId = await store.order(buyer, ticketId)
  const chargeId = await store.pay(buyer, orderId)
  await store.settle()
  t.is(await store.orderOf(orderId), 'complete')
  await store.run(payments.refundCharge, { chargeId })
  await store.settle()
  t.is(await store.chargeOf(chargeId), 'refunded: refunded_by_admin')
  t.deepEqual([await store.balanceOf(buyer), await store.balanceOf(seller)], [0, 0])
  await assertSettled(t, store)
})

test('a charge right after its order does not wait for events', async (t) => {
  const store = await createStore(t)
  const { ticketId } = await store.sell()
  const buyer = await store.makeUser({ balance: 2000 })
  const orderId = await store.order(buyer, ticketId)
  const chargeId = await store.pay(buyer, orderId)
  t.is(await store.chargeOf(chargeId), 'paid')
  await store.dispatch()
  await store.settle()
  t.is(await store.orderOf(orderId), 'complete')
  await assertSettled(t, store)
})

test('one order holds a ticket at a time, and while it does nobody edits it', async (t) => {
  const store = await createStore(t)
  await store.dispatch()
  const { ticketId, seller } = await store.sell()
  const buyers = await Promise.all(Array.from({ length: 8 }, () => store.makeUser()))
  const tried = await Promise.allSettled(buyers.map((buyer) => store.order(buyer, ticketId)))
  const held = tried.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  t.is(held.length, 1)
  const refusals = tried.flatMap((each) => (each.status === 'rejected' ? [(each.reason as { code: string }).code] : []))
  t.deepEqual(new Set(refusals), new Set(['ticket_reserved']))
  await store.settle()

  const edit = { ticketId, version: 1, set: { price: 1 } }
  const refused = await store.refused(tickets.updateTicket, edit, seller)
  t.is(refused.code, 'ticket_reserved')
  t.deepEqual(refused.details, { orderId: held[0] })

  await store.run(orders.cancelOrder, { orderId: held[0] ?? '' })
  await store.settle()
  t.is(await store.orderOf(held[0] ?? ''), 'cancelled: cancelled_by_admin')
  t.is(await store.lockOf(ticketId), undefined)
  t.like(await store.run(tickets.updateTicket, { ...edit, version: 2 }, seller), { price: 1, version: 3 })
  await assertSettled(t, store)
  t.is((await store.run(tickets.listTickets, { free: true, userId: seller.userId })).items.length, 1)
})

test('a payment that comes after its order expired completes it where the ticket is free', async (t) => {
  const store = await createStore(t)
  await store.dispatch()
  const { ticketId, seller } = await store.sell()
  const buyer = await store.makeUser({ balance: 2000 })
  const orderId = await store.order(buyer, ticketId)
  await store.settle()
  await store.expire(orderId)
  await store.settle()
  t.is(await store.orderOf(orderId), 'cancelled: expired')
  t.is(await store.lockOf(ticketId), undefined)

  await store.pay(buyer, orderId)
  await store.settle()
  t.is(await store.orderOf(orderId), 'complete')
  t.is(await store.lockOf(ticketId), orderId)
  t.is(await store.balanceOf(seller), PRICE)
  await assertSettled(t, store)
})

test('otherwise it goes back in full, once, with the reason', async (t) => {
  const store = await createStore(t)
  await store.dispatch()
  const { ticketId } = await store.sell()
  const [late, other] = [await store.makeUser({ balance: 2000 }), await store.makeUser({ balance: 2000 })]
  const orderId = await store.order(late, ticketId)
  await store.settle()
  await store.expire(orderId)
  await store.settle()
  await store.order(other, ticketId)
  const chargeId = await store.pay(late, orderId)
  await store.settle()
  t.is(await store.chargeOf(chargeId), 'refunded: ticket_taken')
  t.is(await store.orderOf(orderId), 'cancelled: expired')
  t.is(await store.balanceOf(late), 2000)
  const { items } = await store.run(users.listLedger, { userId: late.userId })
  t.deepEqual(
    items.map(({ cause, change }) => [cause, change]),
    [
      ['refund', PRICE],
      ['payment', -PRICE],
      ['deposit', 2000],
    ],
  )
  await assertSettled(t, store)
})

test('an order that is paid twice keeps one payment', async (t) => {
  const store = await createStore(t)
  const { ticketId, seller } = await store.sell()
  const buyer = await store.makeUser({ balance: 5000 })
  const orderId = await store.order(buyer, ticketId)
  const chargeIds = await Promise.all([1, 2, 3].map(() => store.pay(buyer, orderId)))
  await store.dispatch()
  await store.settle()
  const states = await Promise.all(chargeIds.map((each) => store.chargeOf(each)))
  t.deepEqual(states.sort(), ['refunded: order_complete', 'refunded: order_complete', 'settled'])
  t.is(await store.balanceOf(buyer), 5000 - PRICE)
  t.is(await store.balanceOf(seller), PRICE)
  t.is((await store.refused(payments.createCharge, { orderId, method: 'balance' }, buyer)).code, 'order_complete')
  await assertSettled(t, store)
})

test('money on its way to an order that its buyer cancels goes back', async (t) => {
  const store = await createStore(t)
  const { ticketId } = await store.sell()
  const buyer = await store.makeUser({ balance: 2000 })
  const orderId = await store.order(buyer, ticketId)
  const chargeId = await store.pay(buyer, orderId)
  t.is((await store.run(orders.cancelOrder, { orderId }, buyer)).reason, 'cancelled_by_user')
  await store.dispatch()
  await store.settle()
  t.is(await store.chargeOf(chargeId), 'refunded: order_cancelled')
  t.is(await store.balanceOf(buyer), 2000)
  t.is((await store.refused(payments.createCharge, { orderId, method: 'balance' }, buyer)).code, 'order_cancelled')
  await assertSettled(t, store)
})

test("a refund after completion needs the seller's balance, and puts the ticket up for sale again", async (t) => {
  const store = await createStore(t)
  await store.dispatch()
  const { ticketId, seller } = await store.sell()
  const buyer = await store.makeUser({ balance: 2000 })
  const orderId = await store.order(buyer, ticketId)
  const chargeId = await store.pay(buyer, orderId)
  await store.settle()
  t.is((await store.refused(orders.cancelOrder, { orderId }, buyer)).code, 'order_complete')

  await store.run(users.withdrawFunds, { userId: seller.userId, amount: 1 })
  t.is((await store.refused(payments.refundCharge, { chargeId })).code, 'insufficient_funds')
  t.is(await store.chargeOf(chargeId), 'settled')
  t.is(await store.balanceOf(buyer), 500)

  await store.run(users.depositFunds, { userId: seller.userId, amount: 1 })
  t.is((await store.run(payments.refundCharge, { chargeId })).state, 'refunded')
  t.is((await store.run(payments.refundCharge, { chargeId })).state, 'refunded', 'once')
  await store.settle()
  t.is(await store.balanceOf(seller), 0)
  t.is(await store.balanceOf(buyer), 2000)
  t.is(await store.orderOf(orderId), 'cancelled: refunded')
  t.is(await store.lockOf(ticketId), undefined)
  await assertSettled(t, store)
})

test('who may see, cancel, pay and edit what; and the errors in their order', async (t) => {
  const store = await createStore(t)
  const { ticketId, seller } = await store.sell()
  const [buyer, stranger] = [await store.makeUser({ balance: PRICE - 1 }), await store.makeUser({ balance: 5000 })]
  const orderId = await store.order(buyer, ticketId)

  for (const operation of [orders.getOrder, orders.cancelOrder])
    t.is((await store.refused(operation, { orderId }, stranger)).code, 'order_not_found')
  t.is((await store.refused(payments.createCharge, { orderId, method: 'balance' }, stranger)).code, 'order_not_found')
  t.is((await store.refused(orders.listOrders, { userId: buyer.userId }, stranger)).code, 'forbidden')
  t.is((await store.refused(payments.listCharges, { userId: buyer.userId }, stranger)).code, 'forbidden')
  t.is((await store.refused(payments.getCharge, { chargeId: NOBODY }, buyer)).code, 'charge_not_found')
  t.is((await store.refused(payments.refundCharge, { chargeId: NOBODY })).code, 'charge_not_found')
  t.is((await store.refused(orders.createOrder, { ticketId: NOBODY }, buyer)).code, 'ticket_not_found')
  t.is((await store.refused(orders.createOrder, { orderId, ticketId: NOBODY }, buyer)).code, 'order_id_reused')
  t.is((await store.refused(orders.createOrder, { orderId, ticketId }, stranger)).code, 'order_id_reused')

  const chargeId = store.newId()
  const charge = { chargeId, orderId, method: 'balance' as const }
  t.is((await store.refused(payments.createCharge, charge, buyer)).code, 'insufficient_funds')
  await store.run(users.depositFunds, { userId: buyer.userId, amount: 1 })
  t.is((await store.refused(payments.createCharge, charge, buyer)).code, 'insufficient_funds', 'the first outcome')
  t.is((await store.refused(payments.createCharge, { ...charge, orderId: NOBODY }, buyer)).code, 'charge_id_reused')
  t.is(
    (await store.refused(payments.createCharge, { orderId, method: 'stripe' }, buyer)).code,
    'payment_method_unavailable',
  )
  await store.pay(buyer, orderId)

  const created = { ticketId: store.newId(), title: 'Another', price: 10 }
  await store.run(tickets.createTicket, created, seller)
  t.is((await store.run(tickets.createTicket, created, seller)).version, 0)
  t.is((await store.refused(tickets.createTicket, created, buyer)).code, 'ticket_id_reused')
  const edit = { ticketId: created.ticketId, version: 0, set: { title: 'A third' } }
  t.is((await store.refused(tickets.updateTicket, { ...edit, ticketId: NOBODY }, seller)).code, 'ticket_not_found')
  t.is((await store.refused(tickets.updateTicket, edit, buyer)).code, 'forbidden')
  t.is((await store.run(tickets.updateTicket, edit, seller)).version, 1)
  t.is((await store.refused(tickets.updateTicket, edit, seller)).code, 'version_conflict')
  await store.dispatch()
  await assertSettled(t, store)
})

test('the buyer hears of every change over the sockets', async (t) => {
  const store = await createStore(t)
  await store.dispatch()
  const { ticketId } = await store.sell()
  const buyer = await store.makeUser({ balance: 2000 })
  const orderId = await store.order(buyer, ticketId)
  await store.settle()
  await store.pay(buyer, orderId)
  await store.settle()
  const { entries } = await store.run(feeds.readFeed, { feed: `user:${buyer.userId}`, after: 0 }, null)
  const heard = entries.map(({ name, data }) => `${name} ${String(data['state'])}`)
  t.deepEqual(
    heard.filter((each) => each.startsWith('order')),
    ['order:updated created', 'order:updated awaiting_payment', 'order:updated complete'],
  )
  t.deepEqual(
    heard.filter((each) => each.startsWith('charge')),
    ['charge:updated paid'],
  )
})
