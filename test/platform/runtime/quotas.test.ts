import test from 'ava'
import { QUOTAS } from '../../../config/index.js'
import { bookings } from '../../../functions/bookings/contract.js'
import { messages } from '../../../functions/messages/contract.js'
import { tickets } from '../../../functions/tickets/contract.js'
import { Ticket } from '../../../functions/tickets/ticket.model.js'
import { users } from '../../../functions/users/contract.js'
import type { QuotaDocument } from '../../../platform/runtime/quotas.js'
import { loadContracts } from '../../../platform/runtime/tree.js'
import { until } from '../../../proof/support/until.js'
import { createTestSystem, HOUR_MS, START, type TestSystem } from '../../support/system.js'

const at = (hours: number): string => new Date(START.getTime() + hours * HOUR_MS).toISOString()

const stored = (system: TestSystem, domain = 'tickets'): Promise<QuotaDocument[]> =>
  system.databases.connection(domain).collection<QuotaDocument>('quotas').find({}).toArray()

/** What plain users may call that changes something, and why it has no quota. */
const NO_QUOTA: Record<string, string> = {
  updateBooking: 'changes a booking in its place',
  cancelBooking: 'one reversal a booking, which has a quota',
  withdrawInvitation: 'one entry an invitation, which has a quota',
  rejectInvitation: 'one entry an invitation, which has a quota',
  acknowledgeMessage: 'one entry a message, which has a quota',
  markRead: 'at most one entry a message, which has a quota',
  joinLobby: 'stores nothing',
  leaveLobby: 'stores nothing',
  cancelOrder: 'changes an order in its place',
  updateTicket: 'changes a ticket in its place',
  signIn: 'stores no more than the last addresses and 50 sessions',
  refreshSession: 'changes a session in its place',
  signOut: 'only deletes',
  signOutEverywhere: 'only deletes',
  revokeSession: 'only deletes',
  changePassword: 'changes a user in its place; 50 sessions at most',
  resetPassword: 'changes a user in its place; 50 sessions at most',
  confirmEmail: 'changes a user in its place',
  updateUser: 'changes a user in its place',
}

test('whatever a plain user stores has a quota, or a reason why not', async (t) => {
  const open = [...(await loadContracts()).values()].filter(({ access }) => access === 'user' || access === 'anyone')
  const without = open.filter(({ name, quota }) => !quota && !/^(get|list|export)/.test(name)).map(({ name }) => name)
  t.deepEqual(without.sort(), Object.keys(NO_QUOTA).sort())
  const counted = open.filter(({ quota }) => quota)
  for (const quota of new Set(counted.map(({ quota }) => quota?.count))) {
    const operations = counted.filter((each) => each.quota?.count === quota)
    t.is(new Set(operations.map(({ domain }) => domain)).size, 1, `${quota} is counted in one database`)
    const ids = new Set(operations.flatMap(({ newId }) => newId ?? []))
    t.true(ids.size <= 1, `${quota}: of two entities with the same id only one would be counted`)
    for (const { name, errors } of operations) t.true(errors.includes('quota_exceeded'), name)
  }
  const used = counted.flatMap(({ quota }) => [quota?.count, quota?.bytes?.quota])
  const unused = Object.keys(QUOTAS).filter((name) => !used.includes(name as keyof typeof QUOTAS))
  t.deepEqual(unused, ['invitationsToOne'], 'counted where invitations are')
})

test('however many come at once, and wherever, no more are stored than the quota has', async (t) => {
  const system = await createTestSystem(t, { env: { DAILY_QUOTAS: 'tickets=20', CALLS_PER_USER: '0' } })
  const beside = await createTestSystem(t, { beside: system })
  const [ada, bob] = [await system.makeUser(), await system.makeUser()]
  const ticket = { title: 'A concert', price: 1 }
  const codes = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      (i % 2 ? system : beside).run(tickets.createTicket, ticket, ada).then(
        () => 'ok',
        (error: { code: string }) => error.code,
      ),
    ),
  )
  // On a slow machine some are stored after their time was up.
  t.deepEqual(
    codes.filter((code) => !['ok', 'quota_exceeded', 'deadline_exceeded'].includes(code)),
    [],
  )
  t.true(codes.filter((code) => code === 'ok').length <= 20)
  await until(async () => (await system.model(Ticket).countDocuments({}, { hint: '_id_' })) === 20)

  const refusal = await system.refused(tickets.createTicket, ticket, ada)
  t.like(refusal.toPublic('r'), {
    code: 'quota_exceeded',
    retryable: false,
    details: { quota: 'tickets', until: at(24), retryAfterMs: 24 * HOUR_MS },
  })
  await system.run(tickets.createTicket, ticket, bob)
  for (let i = 0; i < 30; i++) await system.run(tickets.createTicket, ticket)

  system.clock.advance(24 * HOUR_MS)
  await system.run(tickets.createTicket, ticket, ada)
  t.deepEqual(
    (await stored(system)).map(({ day, count }) => [day, count]),
    [
      ['2031-01-02', 1],
      ['2031-01-01', 1],
    ],
  )
})

test('a request counts once, and has its first outcome also when nothing more fits', async (t) => {
  const system = await createTestSystem(t, { env: { DAILY_QUOTAS: 'tickets=3' } })
  const beside = await createTestSystem(t, { beside: system })
  const ada = await system.makeUser()
  const input = { ticketId: system.newId(), title: 'A concert', price: 1 }
  const answers = await Promise.all(
    [0, 1, 2, 3].map((i) => (i % 2 ? system : beside).run(tickets.createTicket, input, ada)),
  )
  for (let i = 0; i < 2; i++) await system.run(tickets.createTicket, { title: 'Another', price: 1 }, ada)
  t.is((await stored(system))[0]?.count, 3)
  t.is((await system.refused(tickets.createTicket, { ...input, ticketId: system.newId() }, ada)).code, 'quota_exceeded')
  t.deepEqual(await system.run(tickets.createTicket, input, ada), answers[0])

  // The day after it is still known; the day after that it is gone from memory, as the day before it.
  system.clock.advance(24 * HOUR_MS)
  t.deepEqual(await system.run(tickets.createTicket, input, ada), answers[0])
  const [today] = await stored(system)
  t.like(today, { day: '2031-01-02', count: 0 })
  t.is(today?.earlierIds.length, 3)
  system.clock.advance(48 * HOUR_MS)
  await system.run(tickets.createTicket, { title: 'Another', price: 1 }, ada)
  const [later] = await stored(system)
  t.like(later, { day: '2031-01-04', count: 1, earlierIds: [], expiresAt: new Date(at(6 * 24)) })
})

test('bytes of texts have a quota of their own', async (t) => {
  const system = await createTestSystem(t, { env: { DAILY_QUOTAS: 'messageBytes=25' } })
  const [ada, bob] = [await system.makeUser(), await system.makeUser()]
  const say = (text: string) => ({ toUserId: bob.userId, text })
  await system.run(messages.sendMessage, say('0123456789'), ada)
  await system.run(messages.sendMessage, say('€€€'), ada)
  const refusal = await system.refused(messages.sendMessage, say('0123456'), ada)
  t.like(refusal, { code: 'quota_exceeded', details: { quota: 'messageBytes' } })
  await system.run(messages.sendMessage, say('012345'), ada)
  t.like((await stored(system, 'messages'))[0], { count: 3, bytes: 25 })
})

test('bookings are counted in lumps of a hundredth, the first of which costs no write', async (t) => {
  const system = await createTestSystem(t, { env: { DAILY_QUOTAS: 'bookings=200' } })
  const ada = await system.makeUser()
  const carId = await system.makeCar({ pricePerHour: 0 })
  const book = (hour: number) => ({ carId, from: at(hour), to: at(hour + 1) })
  for (const i of [1, 2]) await system.run(bookings.createBooking, book(i), ada)
  t.deepEqual(await stored(system, 'bookings'), [])
  await system.run(bookings.createBooking, book(3), ada)
  t.is((await stored(system, 'bookings'))[0]?.count, 2)
  // As if they had booked all day.
  const counts = system.databases.connection('bookings').collection<QuotaDocument>('quotas')
  await counts.updateOne({}, { $set: { count: 198 } })
  await system.run(bookings.createBooking, book(4), ada)
  const last = { ...book(5), bookingId: system.newId() }
  const made = await system.run(bookings.createBooking, last, ada)
  await system.run(bookings.createBooking, book(6), ada)
  t.like(await system.refused(bookings.createBooking, book(7), ada), {
    code: 'quota_exceeded',
    details: { quota: 'bookings' },
  })
  t.is((await system.run(bookings.createBooking, last, ada)).id, made.id)
  t.is((await stored(system, 'bookings'))[0]?.count, 200)
})

test('accounts are counted by the address that they are made from, which nobody can read afterwards but its user', async (t) => {
  const system = await createTestSystem(t, { env: { DAILY_QUOTAS: 'accounts=3' } })
  let made = 0
  const signUp = (address?: string) =>
    system.call(
      users.signUp,
      { email: `ada-${++made}@example.com`, password: 'correct horse' },
      { caller: null, requestId: 'r', ...(address !== undefined && { address }) },
    )
  for (let i = 0; i < 3; i++) await signUp('10.20.30.40')
  await t.throwsAsync(signUp('10.20.30.40'), { code: 'quota_exceeded' })
  await signUp('10.20.30.41')
  for (let i = 0; i < 4; i++) await signUp()
  await system.makeUser()
  t.is((await stored(system, 'users')).length, 2)
  const collections = (await system.databases.connection('users').db?.collections()) ?? []
  // Users are shown where their sessions are from, as long as these last.
  const others = collections.filter(({ collectionName }) => collectionName !== 'sessions')
  const kept = await Promise.all(others.map((each) => each.find({}).toArray()))
  t.false(JSON.stringify(kept).includes('10.20.30'))
})

test('0 is no quota, and nothing is counted then', async (t) => {
  const system = await createTestSystem(t, { env: { DAILY_QUOTAS: 'tickets=0' } })
  const ada = await system.makeUser()
  await system.run(tickets.createTicket, { title: 'A concert', price: 1 }, ada)
  t.deepEqual(await stored(system), [])
})
