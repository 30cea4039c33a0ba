import test from 'ava'
import ICAL from 'ical.js'
import { CalendarHead } from '../../functions/calendars/calendarHead.model.js'
import { BookingLog } from '../../functions/calendars/bookingLog.model.js'
import { calendars } from '../../functions/calendars/contract.js'
import type { Caller } from '../../platform/contract/caller.js'
import { admin, createTestSystem, HOUR_MS, type TestSystem } from '../support/system.js'
import { at, balanceOf, hours, makeAppointment, project } from './support.js'

const ALL = hours(0, 24 * 300)

const exported = async (system: TestSystem, who: Caller) => {
  await project(system)
  const { text } = await system.run(calendars.exportCalendar, { ...ALL, as: 'seller' }, who)
  const calendar = new ICAL.Component(ICAL.parse(text) as unknown[])
  const events = calendar.getAllSubcomponents('vevent').map((component) => {
    const { uid, sequence, startDate, summary } = new ICAL.Event(component)
    const status = component.getFirstPropertyValue('status')
    return { uid, sequence, from: startDate.toJSDate().toISOString(), status, summary }
  })
  return { text, events }
}

test('a confirmed appointment moves with the consent of the other side, and stays the same one', async (t) => {
  const system = await createTestSystem(t)
  for (const proposer of ['buyer', 'seller'] as const) {
    const appointment = await makeAppointment(system, { price: 500, from: 24, to: 26 })
    const { id, buyer, seller } = appointment
    const other = proposer === 'buyer' ? seller : buyer
    const before = await exported(system, seller)

    const proposed = await system.run(
      calendars.proposeMove,
      { invitationId: id, ...hours(25, 27), version: 3 },
      appointment[proposer],
    )
    t.like(proposed, { state: 'confirmed', ...hours(24, 26), proposal: { by: proposer, ...hours(25, 27) }, version: 4 })
    await project(system)
    const { items } = await system.run(calendars.getCalendar, { ...ALL, as: 'seller' }, seller)
    t.like(items[0], { ...hours(24, 26), proposal: { by: proposer, ...hours(25, 27) } }, 'it stands as it was')

    const own = await system.refused(calendars.answerMove, { invitationId: id, accept: true }, appointment[proposer])
    t.is(own.code, 'forbidden', 'nobody consents to themselves')
    const moved = await system.run(calendars.answerMove, { invitationId: id, accept: true, version: 4 }, other)
    t.like(moved, { id, state: 'confirmed', ...hours(25, 27), version: 5 })
    t.false('proposal' in moved)
    t.is(await balanceOf(system, seller), 500, 'the price is paid once')

    const after = await exported(system, seller)
    t.is(after.events[0]?.uid, before.events[0]?.uid)
    t.like(after.events[0], { from: at(25), sequence: 5, status: 'CONFIRMED' })
    const head = await system.model(CalendarHead).findById(seller.userId).lean()
    t.deepEqual(
      head?.holds.map(({ from, to }) => [from.toISOString(), to.toISOString()]),
      [[at(25), at(27)]],
    )
  }
})

test('a move to where the seller is taken is refused, and the old period stays held', async (t) => {
  const system = await createTestSystem(t)
  const { id, buyer, seller } = await makeAppointment(system, { from: 24 })
  const other = await system.run(
    calendars.inviteToBooking,
    { sellerId: seller.userId, ...hours(40, 41), note: '' },
    buyer,
  )
  await system.run(calendars.confirmInvitation, { invitationId: other.id }, seller)
  await system.run(calendars.proposeMove, { invitationId: id, ...hours(40, 42) }, buyer)
  const accept = { invitationId: id, accept: true }
  t.is((await system.refused(calendars.answerMove, accept, seller)).code, 'seller_unavailable')
  const head = await system.model(CalendarHead).findById(seller.userId).lean()
  t.deepEqual(head?.holds.map(({ from }) => from.toISOString()).sort(), [at(24), at(40)])

  await system.run(calendars.cancelInvitation, { invitationId: other.id, reason: '' }, seller)
  t.like(await system.run(calendars.answerMove, accept, seller), hours(40, 42))
})

test('proposals end when they are declined, taken back, answered, or the appointment is cancelled', async (t) => {
  const system = await createTestSystem(t)
  const { id, buyer, seller } = await makeAppointment(system, { from: 24 })
  const eve = await system.makeUser()
  const propose = () => system.run(calendars.proposeMove, { invitationId: id, ...hours(30, 31) }, buyer)
  const answer = (accept: boolean) => ({ invitationId: id, accept })
  for (const who of [seller, buyer]) {
    await propose()
    t.like(await system.run(calendars.answerMove, answer(false), who), hours(24, 25))
    t.is((await system.refused(calendars.answerMove, answer(true), seller)).code, 'move_not_proposed')
  }
  const { version } = await propose()
  for (const [input, who, code] of [
    [answer(true), eve, 'invitation_not_found'],
    [answer(true), admin, 'forbidden'],
    [{ ...answer(true), version: version - 1 }, seller, 'version_conflict'],
  ] as const) {
    t.is((await system.refused(calendars.answerMove, input, who)).code, code)
  }
  for (const [input, who, code] of [
    [{ invitationId: id, ...hours(30, 31) }, admin, 'forbidden'],
    [{ invitationId: id, ...hours(31, 30) }, buyer, 'invalid_input'],
    [{ invitationId: id, ...hours(-1, 1) }, buyer, 'period_in_past'],
  ] as const) {
    t.is((await system.refused(calendars.proposeMove, input, who)).code, code)
  }
  const cancelled = await system.run(calendars.cancelInvitation, { invitationId: id, reason: '' }, seller)
  t.false('proposal' in cancelled)
  t.is((await system.refused(calendars.answerMove, answer(true), seller)).code, 'invitation_not_confirmed')

  const begun = await makeAppointment(system, { from: 24 })
  const moving = { invitationId: begun.id, ...hours(30, 31) }
  await system.run(calendars.proposeMove, moving, begun.buyer)
  system.clock.advance(24 * HOUR_MS)
  const late = { invitationId: begun.id, accept: true }
  t.is((await system.refused(calendars.answerMove, late, begun.seller)).code, 'period_in_past', 'it has begun')
  t.is((await system.refused(calendars.proposeMove, moving, begun.buyer)).code, 'period_in_past')
})

test('an exported calendar takes cancelled appointments back, and is text as RFC 5545 wants it', async (t) => {
  const system = await createTestSystem(t)
  const [buyer, seller] = [await system.makeUser(), await system.makeUser()]
  const note = 'a\u0000b\u0007c\td\re\u2028f\u0085g\u007fh\u001b[31m ü😀'
  const input = { sellerId: seller.userId, ...hours(24, 25), note: '' }
  const { id } = await system.run(calendars.inviteToBooking, input, buyer)
  // No client can say that, but whatever stands in the log must come out as RFC 5545 wants it.
  await system.model(BookingLog).updateOne({ stream: id }, { $set: { 'invitation.note': note + '😀'.repeat(60) } })
  await system.run(calendars.confirmInvitation, { invitationId: id }, seller)
  const before = await exported(system, seller)
  t.like(before.events[0], { status: 'CONFIRMED', sequence: 2 })
  await system.run(calendars.cancelInvitation, { invitationId: id, reason: 'Ill' }, seller)
  const { text, events } = await exported(system, seller)
  t.deepEqual(events, [{ ...before.events[0], status: 'CANCELLED', sequence: 3 }])
  t.is(events[0]?.summary, 'abc\td\ne\nf\ngh[31m ü😀' + '😀'.repeat(60))

  for (const each of [before.text, text]) {
    t.true(each.endsWith('END:VCALENDAR\r\n'))
    t.notRegex(each.replaceAll('\r\n', '').replaceAll('\t', ''), /\p{Cc}/u)
    t.true(each.split('\r\n').every((line) => Buffer.byteLength(line) <= 75))
  }
  // Nobody had these for certain, so nothing is to be taken back.
  const open = await system.run(calendars.inviteToBooking, { ...input, ...hours(30, 31) }, buyer)
  await system.run(calendars.withdrawInvitation, { invitationId: open.id }, buyer)
  t.is((await exported(system, seller)).events.length, 1)
})
