import test, { type ExecutionContext } from 'ava'
import { CalendarHead } from '../../functions/calendars/calendarHead.model.js'
import { calendars } from '../../functions/calendars/contract.js'
import { bookings } from '../../functions/bookings/contract.js'
import { payments } from '../../functions/payments/contract.js'
import { Payment } from '../../functions/payments/payment.model.js'
import { users } from '../../functions/users/contract.js'
import { crashAt, pointsOf, stallAt } from '../support/faults.js'
import { admin, createTestSystem, HOUR_MS, type TestSystem } from '../support/system.js'
import { balanceOf, hours, makeAppointment, project, type Appointment } from './support.js'

const ALL = hours(0, 24 * 300)
const PRICE = 600

test('buyer, seller and admin cancel a confirmed appointment: the price goes back, the period is free', async (t) => {
  const system = await createTestSystem(t)
  for (const party of ['buyer', 'seller', 'admin'] as const) {
    for (const price of [PRICE, 0]) {
      const { id, buyer, seller } = await makeAppointment(system, { price })
      const who = { buyer, seller, admin }[party]
      const input = { invitationId: id, reason: 'Ill' }
      const cancelled = await system.run(calendars.cancelInvitation, input, who)
      t.like(cancelled, { id, state: 'cancelled', reason: 'Ill', cancelledBy: party, version: price ? 5 : 3 })
      t.deepEqual(await system.run(calendars.cancelInvitation, input, who), cancelled, 'sent twice')
      t.deepEqual(await system.run(calendars.getInvitation, { invitationId: id }, buyer), cancelled)
      t.is(await balanceOf(system, buyer), price)
      t.is(await balanceOf(system, seller), 0)

      const again = { sellerId: seller.userId, ...hours(24, 25), note: '' }
      const next = await system.run(calendars.inviteToBooking, again, buyer)
      await system.run(calendars.confirmInvitation, { invitationId: next.id }, seller)
      await project(system)
      const { items } = await system.run(calendars.getCalendar, { ...ALL, as: 'seller' }, seller)
      t.deepEqual(
        items.map((each) => each.id),
        [next.id],
      )
    }
  }
  t.like(await system.run(bookings.auditBooks, {}), { ok: true })
})

test('it can be cancelled until the notice before it begins; admins can always', async (t) => {
  const system = await createTestSystem(t, { env: { INVITATION_CANCEL_NOTICE_MS: String(2 * HOUR_MS) } })
  const early = await makeAppointment(system, { from: 4 })
  const late = await makeAppointment(system, { from: 4, price: PRICE })
  system.clock.advance(2 * HOUR_MS)
  await system.run(calendars.cancelInvitation, { invitationId: early.id, reason: '' }, early.buyer)
  system.clock.advance(1)
  const input = { invitationId: late.id, reason: '' }
  for (const who of [late.buyer, late.seller]) {
    const refusal = await system.refused(calendars.cancelInvitation, input, who)
    t.is(refusal.code, 'cancellation_too_late')
    t.deepEqual(refusal.details, { until: hours(2, 4).from })
  }
  // Also where its hold was forgotten long ago.
  system.clock.advance(72 * HOUR_MS)
  await system.run(calendars.tidyCalendars, {}, null)
  t.like(await system.run(calendars.cancelInvitation, input, admin), { state: 'cancelled', cancelledBy: 'admin' })
  t.is(await balanceOf(system, late.buyer), PRICE)
})

test('without notice it can be cancelled until it begins', async (t) => {
  const system = await createTestSystem(t, { env: { INVITATION_CANCEL_NOTICE_MS: '0' } })
  const { id, buyer } = await makeAppointment(system, { from: 4 })
  system.clock.advance(4 * HOUR_MS)
  const input = { invitationId: id, reason: '' }
  t.is((await system.refused(calendars.cancelInvitation, input, buyer)).code, 'cancellation_too_late')
})

test('a seller who has spent the price keeps the appointment; it can be cancelled when the money is there', async (t) => {
  const system = await createTestSystem(t)
  const { id, buyer, seller } = await makeAppointment(system, { price: PRICE })
  await system.run(users.withdrawFunds, { userId: seller.userId, amount: 1 })
  const input = { invitationId: id, reason: 'Ill' }
  for (let i = 0; i < 2; i++) {
    t.is((await system.refused(calendars.cancelInvitation, input, buyer)).code, 'insufficient_funds')
  }
  const still = await system.run(calendars.getInvitation, { invitationId: id }, buyer)
  t.like(still, { state: 'confirmed', reason: 'insufficient_funds', version: 7 })
  t.false('cancelledBy' in still)
  t.is(await balanceOf(system, seller), PRICE - 1)

  const other = { sellerId: seller.userId, ...hours(24, 25), note: '' }
  const { id: otherId } = await system.run(calendars.inviteToBooking, other, buyer)
  const held = await system.refused(calendars.confirmInvitation, { invitationId: otherId }, seller)
  t.is(held.code, 'seller_unavailable', 'its period is still held')

  await system.run(users.depositFunds, { userId: seller.userId, amount: 1 })
  t.like(await system.run(calendars.cancelInvitation, input, buyer), { state: 'cancelled' })
  t.is(await balanceOf(system, buyer), PRICE)
  t.is(await balanceOf(system, seller), 0)
})

test('what cannot be cancelled is refused, and nothing changes', async (t) => {
  const system = await createTestSystem(t)
  const { id, buyer, seller } = await makeAppointment(system, { price: PRICE })
  const eve = await system.makeUser()
  const invite = () =>
    system.run(calendars.inviteToBooking, { sellerId: seller.userId, ...hours(30, 31), note: '' }, buyer)
  const [open, rejected, withdrawn] = [await invite(), await invite(), await invite()]
  await system.run(calendars.rejectInvitation, { invitationId: rejected.id, reason: '' }, seller)
  await system.run(calendars.withdrawInvitation, { invitationId: withdrawn.id }, buyer)
  const good = { invitationId: id, reason: '' }
  for (const [input, who, code] of [
    [good, eve, 'invitation_not_found'],
    [{ ...good, invitationId: 'ffffffffffffffffffffffff' }, buyer, 'invitation_not_found'],
    [{ ...good, reason: 'x'.repeat(501) }, buyer, 'invalid_input'],
    [{ invitationId: id }, buyer, 'invalid_input'],
    [{ ...good, version: 2 }, buyer, 'version_conflict'],
    [{ ...good, invitationId: open.id }, seller, 'invitation_not_confirmed'],
    [{ ...good, invitationId: rejected.id }, admin, 'invitation_not_confirmed'],
    [{ ...good, invitationId: withdrawn.id }, buyer, 'invitation_not_confirmed'],
  ] as const) {
    const refusal = await system.refused(calendars.cancelInvitation, input as never, who)
    t.is(refusal.code, code, JSON.stringify(input))
  }
  t.like(await system.run(calendars.getInvitation, { invitationId: id }, buyer), { state: 'confirmed', version: 3 })
  t.is(await balanceOf(system, seller), PRICE)
})

test('however many cancel at once, in whatever processes, one refund is made', async (t) => {
  const system = await createTestSystem(t)
  const beside = await createTestSystem(t, { beside: system })
  const { id, buyer, seller } = await makeAppointment(system, { price: PRICE })
  const answers = await Promise.all(
    [buyer, seller, admin, buyer, seller, admin].map((who, i) =>
      (i % 2 ? system : beside).run(calendars.cancelInvitation, { invitationId: id, reason: `by ${i}` }, who),
    ),
  )
  for (const answer of answers) t.deepEqual(answer, answers[0])
  t.is(await balanceOf(system, buyer), PRICE)
  t.is(await balanceOf(system, seller), 0)
  t.is(await refunded(system, { id, buyer, seller }), PRICE)
})

/** What COMMITTED payments have given back for an invitation. */
async function refunded(system: TestSystem, { id, seller }: Appointment): Promise<number> {
  const given = await system.model(Payment).find({ payerId: seller.userId }).lean()
  const own = given.filter(({ cause, state }) => cause.id.equals(id) && state === 'COMMITTED')
  return own.reduce((sum, { amount }) => sum + Number(amount), 0)
}

const cancel = (system: TestSystem, { id, buyer }: Appointment) =>
  system.run(calendars.cancelInvitation, { invitationId: id, reason: '' }, buyer)

/** Whatever died: stuck payments and invitations are driven to their end. */
async function recover(system: TestSystem): Promise<void> {
  for (let i = 0; i < 2; i++) {
    system.clock.advance(system.config.recovery.stuckAfterMs + 1)
    await system.run(payments.recoverPayments, {}, null)
    await system.run(calendars.recoverInvitations, {}, null)
  }
}

/** `spent`: the seller hasn't got the whole price any more. */
async function stage(system: TestSystem, { spent }: { spent: boolean }): Promise<Appointment> {
  const appointment = await makeAppointment(system, { price: PRICE, from: 24 * 30 })
  if (spent) await system.run(users.withdrawFunds, { userId: appointment.seller.userId, amount: 1 })
  return appointment
}

/** It is cancelled and paid back once, or stands and nothing was paid back; and nothing is under way any more. */
async function check(
  t: ExecutionContext,
  system: TestSystem,
  appointment: Appointment,
  { spent, at }: { spent: boolean; at: string },
): Promise<string> {
  const { id, buyer, seller } = appointment
  const { state } = await system.run(calendars.getInvitation, { invitationId: id }, buyer)
  t.true(state === 'confirmed' || state === 'cancelled', `${at}: ${state}`)
  const back = state === 'cancelled' ? PRICE : 0
  t.is(await refunded(system, appointment), back, at)
  t.is(await balanceOf(system, buyer), back, at)
  t.is(await balanceOf(system, seller), PRICE - (spent ? 1 : 0) - back, at)
  const head = await system.model(CalendarHead).findById(seller.userId).lean()
  t.is(head?.holds.length, state === 'cancelled' ? 0 : 1, at)
  t.deepEqual(head?.settling, [], at)
  return state
}

/** Of an undisturbed cancellation: each of them is where one can die or freeze. */
const stepsOf = async (system: TestSystem, spent: boolean): Promise<string[]> => {
  const appointment = await stage(system, { spent })
  return pointsOf(() => cancel(system, appointment))
}

for (const spent of [false, true]) {
  const seller = spent ? 'a seller who has spent it' : 'a seller who has it'

  test.serial(`a crash at every step of a cancellation, with ${seller}`, async (t) => {
    const system = await createTestSystem(t)
    const points = await stepsOf(system, spent)
    t.true(points.length > 10, points.join(' '))
    const ends = new Set<string>()
    for (const [n, point] of points.entries()) {
      const appointment = await stage(system, { spent })
      const at = `${n} ${String(await crashAt(n, () => cancel(system, appointment)))} (${point})`
      await recover(system)
      ends.add(await check(t, system, appointment, { spent, at }))
    }
    t.deepEqual([...ends].sort(), spent ? ['confirmed'] : ['cancelled', 'confirmed'])
    t.like(await system.run(bookings.auditBooks, {}), { ok: true })
  })

  test.serial(`an executor that freezes at every step while others end it, with ${seller}`, async (t) => {
    const system = await createTestSystem(t)
    const beside = await createTestSystem(t, { beside: system })
    for (const [n, point] of (await stepsOf(system, spent)).entries()) {
      const appointment = await stage(system, { spent })
      await stallAt(
        n,
        () => cancel(system, appointment),
        async () => {
          await recover(beside)
          // And another one begins a new attempt, which may find the money there.
          if (spent) await beside.run(users.depositFunds, { userId: appointment.seller.userId, amount: 1 })
          await cancel(beside, appointment)
        },
      )
      await recover(system)
      t.is(await check(t, system, appointment, { spent: false, at: `${n} ${point}` }), 'cancelled')
    }
    t.like(await system.run(bookings.auditBooks, {}), { ok: true })
  })
}
