import test from 'ava'
import { BookingLog } from '../../functions/calendars/bookingLog.model.js'
import { calendars } from '../../functions/calendars/contract.js'
import { UserPair } from '../../functions/calendars/pair.model.js'
import { messages } from '../../functions/messages/contract.js'
import type { Caller } from '../../platform/contract/caller.js'
import { loadFunctions } from '../../platform/runtime/tree.js'
import { followersOf } from '../../projections/followers.js'
import { until } from '../../proof/support/until.js'
import { createTestSystem, HOUR_MS, type TestSystem } from '../support/system.js'
import { at, hours, makeAppointment } from './support.js'

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: { code: string }) => error.code,
  )

const invite = (system: TestSystem, buyer: Caller, seller: Caller, from = 24) =>
  system.run(calendars.inviteToBooking, { sellerId: seller.userId, ...hours(from, from + 1), note: '' }, buyer)

const pairOf = async (system: TestSystem) => (await system.model(UserPair).find({}, {}, { hint: '_id_' }).lean())[0]

test('of however many invitations at once no more wait for a seller than one buyer may have open', async (t) => {
  const system = await createTestSystem(t, {
    env: { CALLS_PER_USER: '0', DAILY_QUOTAS: 'invitations=0,invitationsToOne=0' },
  })
  const beside = await createTestSystem(t, { beside: system })
  const [buyer, seller, other] = [await system.makeUser(), await system.makeUser(), await system.makeUser()]
  const codes = await Promise.all(
    Array.from({ length: 200 }, (_, i) => codeOf(invite(i % 2 ? system : beside, buyer, seller, 24 + i))),
  )
  // On a slow machine some wait for their turn until their time is up: that of the tenth, too.
  t.deepEqual(
    codes.filter((code) => !['ok', 'too_many_invitations', 'deadline_exceeded'].includes(code)),
    [],
  )
  await until(async () => (await system.model(BookingLog).countDocuments()) === 10)
  t.is(await codeOf(invite(system, buyer, seller)), 'too_many_invitations')
  t.is(await system.model(BookingLog).countDocuments(), 10)
  t.like(await pairOf(system), { openCount: 10, open: { [buyer.userId]: 10 } })
  t.is(await codeOf(invite(system, other, seller)), 'ok')
  t.is(await codeOf(invite(system, seller, buyer)), 'ok', 'the other way round is counted apart')
})

test('a buyer asks a seller only so often a day, whatever becomes of it', async (t) => {
  const system = await createTestSystem(t, { env: { DAILY_QUOTAS: 'invitationsToOne=3' } })
  const [buyer, seller] = [await system.makeUser(), await system.makeUser()]
  const input = { invitationId: system.newId(), sellerId: seller.userId, ...hours(24, 25), note: '' }
  const first = await system.run(calendars.inviteToBooking, input, buyer)
  await system.run(calendars.withdrawInvitation, { invitationId: first.id }, buyer)
  const second = await invite(system, buyer, seller)
  await system.run(calendars.rescheduleInvitation, { invitationId: second.id, ...hours(30, 31) }, buyer)
  const refusal = await system.refused(
    calendars.rescheduleInvitation,
    { invitationId: second.id, ...hours(32, 33) },
    buyer,
  )
  t.like(refusal, { code: 'quota_exceeded', details: { quota: 'invitationsToOne', until: at(24) } })
  t.is(await codeOf(invite(system, buyer, seller)), 'quota_exceeded')
  t.is((await system.run(calendars.inviteToBooking, input, buyer)).id, first.id, 'the first outcome stands')
  t.is(await codeOf(invite(system, buyer, await system.makeUser())), 'ok')
  system.clock.advance(24 * HOUR_MS)
  t.is(await codeOf(invite(system, buyer, seller, 48)), 'ok')
  t.like(await pairOf(system), { day: '2031-01-02', asked: { [buyer.userId]: 1 }, openCount: 2 })
})

test('what waits for a seller is counted as it comes and goes, and forgotten when nothing does', async (t) => {
  const system = await createTestSystem(t)
  const [buyer, seller] = [await system.makeUser(), await system.makeUser()]
  const open = async () => (await pairOf(system))?.openCount
  const ids: string[] = []
  for (let i = 0; i < 4; i++) ids.push((await invite(system, buyer, seller, 24 + i)).id)
  const [withdrawn, rejected, confirmed] = ids as [string, string, string]
  await system.run(calendars.withdrawInvitation, { invitationId: withdrawn }, buyer)
  await system.run(calendars.rejectInvitation, { invitationId: rejected, reason: '' }, seller)
  t.is(await open(), 2)
  await system.run(calendars.confirmInvitation, { invitationId: confirmed }, seller)
  t.is(await open(), 1)
  const paid = { sellerId: seller.userId, ...hours(40, 41), note: '', price: 100 }
  const { id } = await system.run(calendars.inviteToBooking, paid, buyer)
  t.is((await system.refused(calendars.confirmInvitation, { invitationId: id }, seller)).code, 'insufficient_funds')
  t.is(await open(), 2, 'what could not be paid is open again')
  await system.run(calendars.withdrawInvitation, { invitationId: id }, buyer)

  system.clock.advance(48 * HOUR_MS)
  t.like(await system.run(calendars.tidyCalendars, {}, null), { pairs: 0 }, 'one is open still')
  await system.run(calendars.withdrawInvitation, { invitationId: String(ids[3]) }, buyer)
  t.like(await system.run(calendars.tidyCalendars, {}, null), { pairs: 1 })
  t.is(await pairOf(system), undefined)
})

test('a block covers whatever one may ask of the other, in both directions; what was asked before can be ended', async (t) => {
  const system = await createTestSystem(t)
  const { id, buyer, seller } = await makeAppointment(system)
  const [open, other] = [await invite(system, buyer, seller, 30), await invite(system, buyer, seller, 40)]
  await system.run(messages.blockUser, { userId: buyer.userId }, seller)
  const reschedule = { invitationId: open.id, ...hours(32, 33) }
  const move = { invitationId: id, ...hours(34, 35) }
  t.is(await codeOf(invite(system, buyer, seller)), 'blocked_by_receiver')
  t.is(await codeOf(invite(system, seller, buyer)), 'receiver_blocked')
  t.is(await codeOf(system.run(calendars.rescheduleInvitation, reschedule, buyer)), 'blocked_by_receiver')
  t.is(await codeOf(system.run(calendars.proposeMove, move, buyer)), 'blocked_by_receiver')
  t.is(await codeOf(system.run(calendars.proposeMove, move, seller)), 'receiver_blocked')
  t.is(await codeOf(system.run(calendars.rejectInvitation, { invitationId: open.id, reason: '' }, seller)), 'ok')
  t.is(await codeOf(system.run(calendars.withdrawInvitation, { invitationId: other.id }, buyer)), 'ok')
  t.is(await codeOf(system.run(calendars.cancelInvitation, { invitationId: id, reason: '' }, buyer)), 'ok')

  system.clock.advance(48 * HOUR_MS)
  t.like(await system.run(calendars.tidyCalendars, {}, null), { pairs: 0 }, 'a block is never forgotten')
  t.is(await codeOf(invite(system, buyer, seller, 72)), 'blocked_by_receiver')
  await system.run(messages.unblockUser, { userId: buyer.userId }, seller)
  t.is(await codeOf(invite(system, buyer, seller, 72)), 'ok')
})

test('no invitation comes after a block was answered, however many are on their way', async (t) => {
  const env = { CALLS_PER_USER: '0', DAILY_QUOTAS: 'invitationsToOne=0', MAX_OPEN_INVITATIONS: '1000' }
  const system = await createTestSystem(t, { env })
  const beside = await createTestSystem(t, { beside: system })
  const [buyer, seller] = [await system.makeUser(), await system.makeUser()]
  await invite(system, buyer, seller)
  const coming = Array.from({ length: 100 }, (_, i) => codeOf(invite(i % 2 ? system : beside, buyer, seller, 30 + i)))
  await coming[0]
  await system.run(messages.blockUser, { userId: buyer.userId }, seller)
  const then = await system.model(BookingLog).countDocuments()
  const codes = await Promise.all(coming)
  t.is(await system.model(BookingLog).countDocuments(), then)
  t.true(codes.filter((code) => code === 'ok').length < then)
  const others = codes.filter((code) => !['ok', 'blocked_by_receiver', 'deadline_exceeded'].includes(code))
  t.deepEqual(others, [])
})

test('where the answer to a block was lost, the follower of the log tells the calendars; older news changes nothing', async (t) => {
  const system = await createTestSystem(t)
  const functions = (await loadFunctions()).filter(({ operation }) => operation.name !== 'copyBlock')
  const cut = await createTestSystem(t, { beside: system, functions })
  const [buyer, seller] = [await system.makeUser(), await system.makeUser()]
  await cut.refused(messages.blockUser, { userId: buyer.userId }, seller)
  t.is(await codeOf(invite(system, buyer, seller)), 'ok')
  for (const { advance } of followersOf(system)) while ((await advance()) > 0);
  t.is(await codeOf(invite(system, buyer, seller)), 'blocked_by_receiver')

  const userIds = [buyer.userId, seller.userId]
  await system.run(calendars.copyBlock, { userIds, blockedBy: [], number: 1 }, null)
  t.is(await codeOf(invite(system, buyer, seller)), 'blocked_by_receiver')
  await system.run(calendars.copyBlock, { userIds, blockedBy: [], number: 2 }, null)
  t.is(await codeOf(invite(system, buyer, seller)), 'ok')
})
