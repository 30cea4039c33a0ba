import test from 'ava'
import { bookings } from '../../functions/bookings/contract.js'
import { payments } from '../../functions/payments/contract.js'
import { users } from '../../functions/users/contract.js'
import { User } from '../../functions/users/user.model.js'
import type { Caller } from '../../platform/contract/caller.js'
import { long } from '../../platform/database/long.js'
import { createTestSystem, HOUR_MS, type TestSystem } from '../support/system.js'

const CAUSE = { type: 'test', id: 'c'.repeat(24) }
const NOBODY = 'f'.repeat(24)

const balanceOf = async (system: TestSystem, { userId }: Caller): Promise<number> =>
  (await system.run(users.getUser, { userId })).balance

const ledgerOf = async (system: TestSystem, { userId }: Caller) => {
  const { items } = await system.run(users.listLedger, { userId })
  return items.map(({ cause, change }) => `${cause} ${change}`)
}

test('a payment moves its amount from the payer to the payee, once however often it is sent', async (t) => {
  const system = await createTestSystem(t)
  const [payer, payee] = [await system.makeUser({ balance: 1000 }), await system.makeUser()]
  const input = {
    paymentId: system.newId(),
    payerId: payer.userId,
    payeeId: payee.userId,
    amount: 300,
    cause: CAUSE,
  }
  const sent = await Promise.all(Array.from({ length: 5 }, () => system.run(payments.pay, input, null)))
  t.deepEqual(sent, Array(5).fill({ id: input.paymentId, state: 'COMMITTED' }))
  t.is(await balanceOf(system, payer), 700)
  t.is(await balanceOf(system, payee), 300)
  t.deepEqual(await ledgerOf(system, payer), ['payment -300', 'deposit 1000'])
  t.deepEqual(await ledgerOf(system, payee), ['receipt 300'])
  t.is((await system.refused(payments.pay, { ...input, amount: 301 }, null)).code, 'payment_id_reused')
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
})

test('a payment beyond the balance is refused, and stays refused', async (t) => {
  const system = await createTestSystem(t)
  const [payer, payee] = [await system.makeUser({ balance: 100 }), await system.makeUser()]
  const input = { paymentId: system.newId(), payerId: payer.userId, payeeId: payee.userId, amount: 101, cause: CAUSE }
  t.is((await system.refused(payments.pay, input, null)).code, 'insufficient_funds')
  await system.run(users.depositFunds, { userId: payer.userId, amount: 100 })
  t.is((await system.refused(payments.pay, input, null)).code, 'insufficient_funds')
  t.is(await balanceOf(system, payer), 200)
  t.is(await balanceOf(system, payee), 0)
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
})

test('who pays whom: one of the two is enough, both may not be the same', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 500 })
  const pay = (who: object) => ({ paymentId: system.newId(), amount: 200, cause: CAUSE, ...who })
  await system.run(payments.pay, pay({ payerId: user.userId }), null)
  t.is(await balanceOf(system, user), 300)
  await system.run(payments.pay, pay({ payeeId: user.userId }), null)
  t.is(await balanceOf(system, user), 500)
  for (const who of [{}, { payerId: user.userId, payeeId: user.userId }])
    t.is((await system.refused(payments.pay, pay(who), null)).code, 'invalid_input')
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
})

test('a refund gives the payer everything back, once; nobody refunds what somebody received', async (t) => {
  const system = await createTestSystem(t)
  const [payer, payee] = [await system.makeUser({ balance: 1000 }), await system.makeUser()]
  const held = { paymentId: system.newId(), payerId: payer.userId, amount: 400, cause: CAUSE }
  await system.run(payments.pay, held, null)
  const refunds = await Promise.all(
    Array.from({ length: 4 }, () => system.run(payments.refund, { paymentId: held.paymentId }, null)),
  )
  t.is(new Set(refunds.map(({ reversalId }) => reversalId)).size, 1)
  t.is(await balanceOf(system, payer), 1000)
  t.deepEqual(await ledgerOf(system, payer), ['refund 400', 'payment -400', 'deposit 1000'])
  t.is((await system.run(payments.pay, held, null)).state, 'COMMITTED', 'the first outcome, still')
  t.is(await balanceOf(system, payer), 1000)

  const received = { ...held, paymentId: system.newId(), payeeId: payee.userId }
  await system.run(payments.pay, received, null)
  for (const paymentId of [received.paymentId, refunds[0]?.reversalId ?? ''])
    t.is((await system.refused(payments.refund, { paymentId }, null)).code, 'payment_not_refundable')
  t.is((await system.refused(payments.refund, { paymentId: NOBODY }, null)).code, 'payment_not_found')
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
})

test('a payment and a booking of one id do not know each other', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 5000 })
  const carId = await system.makeCar({ pricePerHour: 1000 })
  const id = system.newId()
  await system.run(payments.pay, { paymentId: id, payerId: user.userId, amount: 500, cause: CAUSE }, null)
  const from = new Date(system.clock.now().getTime() + HOUR_MS).toISOString()
  const to = new Date(system.clock.now().getTime() + 2 * HOUR_MS).toISOString()
  await system.run(bookings.createBooking, { bookingId: id, carId, from, to }, user)
  t.is(await balanceOf(system, user), 3500)
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
})

test('after a day users forget payments, but not while one of theirs is older and not final', async (t) => {
  const system = await createTestSystem(t)
  const [payer, payee] = [await system.makeUser({ balance: 1000 }), await system.makeUser()]
  const pay = (amount: number) => ({ payerId: payer.userId, payeeId: payee.userId, amount, cause: CAUSE })
  await system.run(payments.pay, { paymentId: system.newId(), ...pay(10) }, null)
  const settled = await system.run(payments.findSettledPayments, { userIds: [payer.userId] }, null)
  t.deepEqual(settled, { settled: [], outstanding: [] })

  system.clock.advance(25 * HOUR_MS)
  t.is((await system.run(users.tidyUsers, {}, null)).forgotten, 3, 'the deposit, and the payment of both')
  const { payments: left } = (await system.model(User).findById(payer.userId).lean()) ?? {}
  t.deepEqual(left, [])
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])
})

test('the audit finds a payment whose effect is missing, or that nobody made', async (t) => {
  const system = await createTestSystem(t)
  const payer = await system.makeUser({ balance: 1000 })
  const paymentId = system.newId()
  await system.run(payments.pay, { paymentId, payerId: payer.userId, amount: 10, cause: CAUSE }, null)
  const collection = system.databases.connection('payments').collection('payments')
  const [payment] = await collection.find().toArray()
  await collection.deleteOne({})
  const rules = async () => (await system.run(bookings.auditBooks, {})).violations.map(({ rule }) => rule)
  t.deepEqual(await rules(), ['marker_has_payment'])
  await collection.insertOne({ ...payment, state: 'CANCELLED', amount: long(10) })
  t.deepEqual(await rules(), ['payment_exactly_once', 'payment_exactly_once'])
})
