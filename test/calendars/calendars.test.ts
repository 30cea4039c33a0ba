import test from 'ava'
import { calendars } from '../../functions/calendars/contract.js'
import { BookingLog } from '../../functions/calendars/bookingLog.model.js'
import { CalendarHead } from '../../functions/calendars/calendarHead.model.js'
import { calendarProjection } from '../../functions/calendars/calendar.projection.js'
import { users } from '../../functions/users/contract.js'
import { onFailpoint } from '../../platform/lib/failpoints.js'
import { createTestSystem, HOUR_MS, START, type TestSystem } from '../support/system.js'
import { until } from '../../proof/support/until.js'

const NOBODY = 'ffffffffffffffffffffffff'

const at = (hours: number): string => new Date(START.getTime() + hours * HOUR_MS).toISOString()
const hours = (from: number, to: number) => ({ from: at(from), to: at(to) })
const ALL = { from: at(0), to: at(24 * 300) }

/** Brings the view up to date. */
async function project(system: TestSystem): Promise<void> {
  while ((await system.use(calendarProjection).advance()) > 0);
}

const entries = (system: TestSystem): Promise<number> => system.model(BookingLog).countDocuments()

const balanceOf = async (system: TestSystem, { userId }: { userId: string }): Promise<number> =>
  (await system.run(users.getUser, { userId })).balance

test('a buyer invites, the seller confirms, and both calendars show it', async (t) => {
  const system = await createTestSystem(t)
  const [buyer, seller] = [await system.makeUser(), await system.makeUser()]
  const invited = await system.run(
    calendars.inviteToBooking,
    { sellerId: seller.userId, ...hours(24, 26), note: 'Piano lesson' },
    buyer,
  )
  t.like(invited, {
    buyerId: buyer.userId,
    sellerId: seller.userId,
    ...hours(24, 26),
    note: 'Piano lesson',
    state: 'invited',
    version: 1,
    updatedAt: START.toISOString(),
  })
  await project(system)
  const open = await system.run(calendars.getCalendar, { ...ALL, as: 'seller', after: invited.seq }, seller)
  t.deepEqual(
    open.items.map(({ id, state }) => [id, state]),
    [[invited.id, 'invited']],
  )

  const confirmed = await system.run(calendars.confirmInvitation, { invitationId: invited.id }, seller)
  t.like(confirmed, { id: invited.id, state: 'confirmed', version: 2 })
  await project(system)
  for (const [as, who] of [
    ['buyer', buyer],
    ['seller', seller],
  ] as const) {
    const { items, days } = await system.run(calendars.getCalendar, { ...ALL, as, after: confirmed.seq }, who)
    t.like(items[0], { id: invited.id, state: 'confirmed', note: 'Piano lesson' })
    t.deepEqual(days, [{ date: '2031-01-02', from: at(24), to: at(48), invitationIds: [invited.id] }])
    const other = as === 'buyer' ? 'seller' : 'buyer'
    t.deepEqual((await system.run(calendars.getCalendar, { ...ALL, as: other }, who)).items, [])
  }
})

test('with a price confirming moves the money, and stands only if that is COMMITTED', async (t) => {
  const system = await createTestSystem(t)
  const [buyer, seller] = [await system.makeUser({ balance: 1000 }), await system.makeUser()]
  const invite = (from: number, price: number) =>
    system.run(calendars.inviteToBooking, { sellerId: seller.userId, ...hours(from, from + 1), note: '', price }, buyer)
  const paid = await invite(24, 700)
  t.like(await system.run(calendars.confirmInvitation, { invitationId: paid.id }, seller), { state: 'confirmed' })
  t.is(await balanceOf(system, buyer), 300)
  t.is(await balanceOf(system, seller), 700)

  const unpaid = await invite(30, 301)
  const confirmationId = system.newId()
  const input = { invitationId: unpaid.id, confirmationId }
  t.is((await system.refused(calendars.confirmInvitation, input, seller)).code, 'insufficient_funds')
  t.is(
    (await system.refused(calendars.confirmInvitation, input, seller)).code,
    'insufficient_funds',
    'the first outcome',
  )
  const still = await system.run(calendars.getInvitation, { invitationId: unpaid.id }, seller)
  t.like(still, { state: 'invited', reason: 'insufficient_funds', version: 3 })

  // Its period is free again, and it can be confirmed once there is money.
  const same = await invite(30, 1)
  await system.run(calendars.confirmInvitation, { invitationId: same.id }, seller)
  t.is(
    (await system.refused(calendars.confirmInvitation, { invitationId: unpaid.id }, seller)).code,
    'seller_unavailable',
  )
  t.is(await balanceOf(system, buyer), 299)
  t.is(await entries(system), 9)
})

test('two confirmed bookings of one seller never overlap, however many are confirmed at once', async (t) => {
  const system = await createTestSystem(t)
  const beside = await createTestSystem(t, { beside: system })
  const seller = await system.makeUser()
  const buyers = await Promise.all(Array.from({ length: 12 }, () => system.makeUser({ balance: 100 })))
  const invitations = await Promise.all(
    buyers.map((buyer, i) =>
      system.run(
        calendars.inviteToBooking,
        { sellerId: seller.userId, ...hours(24 + i, 24 + i + 3), note: '', ...(i % 2 && { price: 10 }) },
        buyer,
      ),
    ),
  )
  /**
   * A write of the database that gets no answer for five seconds, as on a machine that stands still for so long, leaves the
   * outcome open: deadline_exceeded or unavailable, which the contract calls retryable. The same request learns the outcome.
   * A payment whose owner has given up is taken over once that one must be dead: by the clock, which a test must move. That
   * this is why it was ever asked again is what the code says; it has not been seen.
   */
  const confirm = async (by: TestSystem, invitationId: string): Promise<string> => {
    const input = { invitationId, confirmationId: by.newId() }
    for (;;) {
      const answer = await by.run(calendars.confirmInvitation, input, seller).then(
        ({ state }) => state,
        ({ code, message }: Error & { code: string }) => {
          if (code !== 'seller_unavailable') t.log(`asked again: ${code}, ${message}`)
          return code
        },
      )
      if (answer !== 'deadline_exceeded' && answer !== 'unavailable') return answer
      by.clock.advance(by.config.deadlinesMs.money + 1)
    }
  }
  const answers = await Promise.all(invitations.map(({ id }, i) => confirm(i % 2 ? system : beside, id)))
  t.true(
    answers.every((each) => each === 'confirmed' || each === 'seller_unavailable'),
    String(answers),
  )
  const confirmed = invitations.filter((_, i) => answers[i] === 'confirmed').sort((a, b) => (a.from < b.from ? -1 : 1))
  t.true(confirmed.length >= 3, String(answers))
  confirmed.slice(1).forEach((next, i) => t.true((confirmed[i]?.to ?? '') <= next.from))
  const paid = invitations.filter(({ price }, i) => price && answers[i] === 'confirmed').length
  t.is(await balanceOf(system, seller), 10 * paid)
})

test('rescheduling moves it from month to month; withdrawing and rejecting take it out of calendars', async (t) => {
  const system = await createTestSystem(t)
  const [buyer, seller] = [await system.makeUser(), await system.makeUser()]
  const invite = (from: number) =>
    system.run(calendars.inviteToBooking, { sellerId: seller.userId, ...hours(from, from + 24), note: '' }, buyer)
  const listed = async (after: number) =>
    (await system.run(calendars.getCalendar, { ...ALL, as: 'seller', after }, seller)).items.map(({ id, from }) => [
      id,
      from,
    ])

  const JANUARY_31 = 30 * 24 + 12
  const [one, other] = [await invite(JANUARY_31), await invite(JANUARY_31)]
  await project(system)
  t.is((await listed(other.seq)).length, 2, 'once each, though each stands in two months')
  const moved = await system.run(
    calendars.rescheduleInvitation,
    { invitationId: one.id, ...hours(24, 25), version: 1 },
    buyer,
  )
  await project(system)
  t.deepEqual(await listed(moved.seq), [
    [one.id, at(24)],
    [other.id, at(JANUARY_31)],
  ])
  const seen = { invitationId: one.id, version: 1 }
  t.is((await system.refused(calendars.confirmInvitation, seen, seller)).code, 'version_conflict', 'not what they saw')

  const rejected = await system.run(calendars.rejectInvitation, { invitationId: one.id, reason: 'On holiday' }, seller)
  t.like(rejected, { state: 'rejected', reason: 'On holiday' })
  const withdrawn = await system.run(calendars.withdrawInvitation, { invitationId: other.id }, buyer)
  await project(system)
  t.deepEqual(await listed(withdrawn.seq), [])
  const head = await system.model(CalendarHead).findById(seller.userId).lean()
  t.deepEqual(Object.values(head?.live.seller ?? {}), [0, 0])
})

test('the same invitation sent twice is one; another under its id is refused', async (t) => {
  const system = await createTestSystem(t)
  const beside = await createTestSystem(t, { beside: system })
  const [buyer, seller] = [await system.makeUser(), await system.makeUser()]
  const input = { invitationId: system.newId(), sellerId: seller.userId, ...hours(24, 25), note: '', price: 5 }
  const [one, other] = await Promise.all([
    system.run(calendars.inviteToBooking, input, buyer),
    beside.run(calendars.inviteToBooking, input, buyer),
  ])
  t.deepEqual(one, other)
  system.clock.advance(48 * HOUR_MS)
  t.deepEqual(
    await system.run(calendars.inviteToBooking, input, buyer),
    one,
    'the first outcome, whatever holds by now',
  )
  const another = { ...input, note: 'another' }
  t.is((await system.refused(calendars.inviteToBooking, another, buyer)).code, 'invitation_id_reused')
  t.is(await entries(system), 1)
})

test('bad input is a clear error, and nothing is appended', async (t) => {
  const system = await createTestSystem(t)
  const [buyer, seller, eve] = [await system.makeUser(), await system.makeUser(), await system.makeUser()]
  const good = { sellerId: seller.userId, ...hours(24, 25), note: '' }
  const open = await system.run(calendars.inviteToBooking, good, buyer)
  const confirmed = await system.run(calendars.inviteToBooking, { ...good, ...hours(26, 27) }, buyer)
  const rejected = await system.run(calendars.inviteToBooking, { ...good, ...hours(28, 29) }, buyer)
  const past = await system.run(calendars.inviteToBooking, { ...good, ...hours(2, 3) }, buyer)
  const confirmationId = system.newId()
  await system.run(calendars.confirmInvitation, { invitationId: confirmed.id, confirmationId }, seller)
  await system.run(calendars.rejectInvitation, { invitationId: rejected.id, reason: 'no' }, seller)
  system.clock.advance(2 * HOUR_MS)
  const before = await entries(system)

  for (const [input, code] of [
    [{ ...good, buyerId: eve.userId }, 'invalid_input'],
    [{ ...good, ...hours(25, 24) }, 'invalid_input'],
    [{ ...good, ...hours(24, 24) }, 'invalid_input'],
    [{ ...good, ...hours(24, 24 + 31 * 24 + 1) }, 'invalid_input'],
    [{ ...good, from: '2031-01-02' }, 'invalid_input'],
    [{ ...good, from: '2031-01-02T00:00:00.000' }, 'invalid_input'],
    [{ ...good, note: 'x'.repeat(1001) }, 'invalid_input'],
    [{ ...good, note: 'x'.repeat(10_000_000) }, 'invalid_input'],
    [{ ...good, price: -1 }, 'invalid_input'],
    [{ ...good, price: 1.5 }, 'invalid_input'],
    [{ ...good, sellerId: buyer.userId }, 'invalid_input'],
    [{ ...good, ...hours(1, 3) }, 'period_in_past'],
    [{ ...good, sellerId: NOBODY }, 'user_not_found'],
  ] as const) {
    const refusal = await system.refused(calendars.inviteToBooking, input as never, buyer)
    t.is(refusal.code, code, JSON.stringify(input).slice(0, 100))
  }

  const invitationId = open.id
  for (const [operation, input, who, code] of [
    [calendars.confirmInvitation, { invitationId }, eve, 'invitation_not_found'],
    [calendars.confirmInvitation, { invitationId }, buyer, 'forbidden'],
    [calendars.confirmInvitation, { invitationId: NOBODY }, seller, 'invitation_not_found'],
    [calendars.confirmInvitation, { invitationId: confirmed.id }, seller, 'invitation_not_open'],
    [calendars.confirmInvitation, { invitationId: rejected.id }, seller, 'invitation_not_open'],
    [calendars.confirmInvitation, { invitationId: past.id }, seller, 'period_in_past'],
    [calendars.confirmInvitation, { invitationId, version: 7 }, seller, 'version_conflict'],
    [calendars.confirmInvitation, { invitationId, confirmationId }, seller, 'confirmation_id_reused'],
    [calendars.rejectInvitation, { invitationId, reason: '' }, buyer, 'forbidden'],
    [calendars.rejectInvitation, { invitationId: confirmed.id, reason: '' }, seller, 'invitation_not_open'],
    [calendars.rejectInvitation, { invitationId, reason: 'x'.repeat(501) }, seller, 'invalid_input'],
    [calendars.withdrawInvitation, { invitationId }, seller, 'forbidden'],
    [calendars.withdrawInvitation, { invitationId: rejected.id }, buyer, 'invitation_not_open'],
    [calendars.rescheduleInvitation, { invitationId, ...hours(30, 31) }, seller, 'forbidden'],
    [calendars.rescheduleInvitation, { invitationId, ...hours(1, 31) }, buyer, 'period_in_past'],
    [calendars.rescheduleInvitation, { invitationId, ...hours(31, 30) }, buyer, 'invalid_input'],
    [calendars.getInvitation, { invitationId }, eve, 'invitation_not_found'],
    [calendars.getCalendar, { ...ALL, as: 'seller', timeZone: 'Mars/Olympus' }, seller, 'invalid_input'],
    [calendars.getCalendar, { from: ALL.to, to: ALL.from, as: 'seller' }, seller, 'invalid_input'],
    [calendars.getCalendar, { ...hours(0, 24 * 367), as: 'seller' }, seller, 'invalid_input'],
    [calendars.getCalendar, { ...ALL, as: 'owner' }, seller, 'invalid_input'],
    [calendars.exportCalendar, { ...ALL, as: 'seller', timeZone: 'CET+1' }, seller, 'invalid_input'],
  ] as const) {
    const refusal = await system.refused(operation as typeof calendars.getInvitation, input as never, who)
    t.is(refusal.code, code, `${operation.name} ${JSON.stringify(input)}`)
  }
  t.is(await entries(system), before)
})

test('a calendar takes no more than it can show', async (t) => {
  const system = await createTestSystem(t)
  const [buyer, seller] = [await system.makeUser(), await system.makeUser()]
  const good = { sellerId: seller.userId, ...hours(24, 25), note: '' }
  await system.run(calendars.inviteToBooking, good, buyer)
  await system.model(CalendarHead).updateOne({ _id: seller.userId }, { $set: { 'live.seller.2031-01': 1000 } })
  t.is((await system.refused(calendars.inviteToBooking, good, buyer)).code, 'calendar_full')
  t.is(await entries(system), 1)
})

test.serial(
  'whatever dies while an invitation is confirmed, it ends confirmed and paid, or open and unpaid',
  async (t) => {
    const POINTS = [
      ['append.before', 1],
      ['append.after', 1],
      ['settlement.pay.before', 1],
      ['settlement.pay.after', 1],
      ['append.before', 2],
      ['append.after', 2],
    ] as const
    const system = await createTestSystem(t)
    for (const price of [600, 5000]) {
      for (const [name, nth] of POINTS) {
        const [buyer, seller] = [await system.makeUser({ balance: 1000 }), await system.makeUser()]
        const { id } = await system.run(
          calendars.inviteToBooking,
          { sellerId: seller.userId, ...hours(24, 25), note: '', price },
          buyer,
        )
        let seen = 0
        onFailpoint((point) => {
          if (point === name && ++seen === nth) throw new Error('crash')
        })
        const died = await system.run(calendars.confirmInvitation, { invitationId: id }, seller).then(
          () => 'no',
          () => 'yes',
        )
        onFailpoint(null)
        const at = `${name} ${nth}, ${price}`
        t.is(died, 'yes', at)
        system.clock.advance(system.config.recovery.stuckAfterMs + 1)
        await system.run(calendars.recoverInvitations, {}, null)
        const { state } = await system.run(calendars.getInvitation, { invitationId: id }, seller)
        const nothingHappened = name === 'append.before' && nth === 1
        t.is(state, nothingHappened || price > 1000 ? 'invited' : 'confirmed', at)
        t.is(await balanceOf(system, buyer), state === 'confirmed' ? 400 : 1000, at)
        t.is(await balanceOf(system, seller), state === 'confirmed' ? 600 : 0, at)
        const head = await system.model(CalendarHead).findById(seller.userId).lean()
        t.deepEqual(
          head?.holds.map(({ invitationId }) => String(invitationId)),
          state === 'confirmed' ? [id] : [],
          at,
        )
        t.deepEqual(head?.settling, [], at)
        t.like(await system.run(calendars.recoverInvitations, {}, null), { examined: 0 }, at)
      }
    }
  },
)

test.serial('an executor that was frozen while others ended the confirmation changes nothing any more', async (t) => {
  const system = await createTestSystem(t)
  const beside = await createTestSystem(t, { beside: system })
  const [buyer, seller] = [await system.makeUser({ balance: 1000 }), await system.makeUser()]
  const { id } = await system.run(
    calendars.inviteToBooking,
    { sellerId: seller.userId, ...hours(24, 25), note: '', price: 600 },
    buyer,
  )
  let thaw = (): void => {}
  const frozen = new Promise<void>((resolve) => (thaw = resolve))
  let stopped = false
  onFailpoint((point) => {
    if (point !== 'settlement.pay.before' || stopped) return
    stopped = true
    return frozen
  })
  const late = system.run(calendars.confirmInvitation, { invitationId: id }, seller)
  await until(() => stopped)
  system.clock.advance(system.config.recovery.stuckAfterMs + 1)
  t.like(await beside.run(calendars.recoverInvitations, {}, null), { examined: 1, confirmed: 1 })
  onFailpoint(null)
  thaw()
  t.like(await late, { state: 'confirmed', version: 3 }, 'it learns how it ended')
  t.is(await balanceOf(system, buyer), 400)
  t.is(await balanceOf(system, seller), 600)
  t.is(await entries(system), 3)
})

test('held periods that have ended are forgotten, and nothing older can be held any more', async (t) => {
  const system = await createTestSystem(t)
  const [buyer, seller] = [await system.makeUser(), await system.makeUser()]
  const { id } = await system.run(
    calendars.inviteToBooking,
    { sellerId: seller.userId, ...hours(1, 2), note: '' },
    buyer,
  )
  const late = await system.run(calendars.inviteToBooking, { sellerId: seller.userId, ...hours(1, 2), note: '' }, buyer)
  await system.run(calendars.confirmInvitation, { invitationId: id }, seller)
  const before = system.now()
  system.clock.advance(48 * HOUR_MS)
  t.like(await system.run(calendars.tidyCalendars, {}, null), { users: 1 })
  // A host whose clock is two days behind.
  const behind = await createTestSystem(t, { beside: system, now: () => before })
  t.is(
    (await behind.refused(calendars.confirmInvitation, { invitationId: late.id }, seller)).code,
    'seller_unavailable',
  )
})
