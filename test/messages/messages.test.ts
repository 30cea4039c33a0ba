import test from 'ava'
import { calendars } from '../../functions/calendars/contract.js'
import { messages } from '../../functions/messages/contract.js'
import { MessageLog } from '../../functions/messages/messageLog.model.js'
import { messageBoxProjection } from '../../functions/messages/messageBox.projection.js'
import type { Caller } from '../../platform/contract/caller.js'
import { createTestSystem, HOUR_MS, START, type TestSystem } from '../support/system.js'

const NOBODY = 'ffffffffffffffffffffffff'

async function project(system: TestSystem): Promise<void> {
  while ((await system.use(messageBoxProjection).advance()) > 0);
}

const entries = (system: TestSystem): Promise<number> => system.model(MessageLog).countDocuments()

const pair = async (system: TestSystem): Promise<[Caller, Caller]> => [await system.makeUser(), await system.makeUser()]

test('messages stand in both boxes, in order, with how far each has come', async (t) => {
  const system = await createTestSystem(t)
  const [ada, bob] = await pair(system)
  const first = await system.run(messages.sendMessage, { toUserId: bob.userId, text: 'Hello' }, ada)
  t.like(first, { fromUserId: ada.userId, toUserId: bob.userId, text: 'Hello', number: 1 })
  system.clock.advance(1000)
  const second = await system.run(messages.sendMessage, { toUserId: ada.userId, text: 'Hello yourself' }, bob)
  system.clock.advance(1000)
  const third = await system.run(messages.sendMessage, { toUserId: bob.userId, text: 'How are you?' }, ada)
  await system.run(messages.acknowledgeMessage, { messageId: first.id }, bob)
  await system.run(messages.markRead, { messageId: second.id }, ada)
  await project(system)

  const box = async (who: Caller, other: Caller) =>
    system.run(messages.getConversation, { withUserId: other.userId, after: third.seq }, who)
  const seen = [
    [third.id, 'sent'],
    [second.id, 'read'],
    [first.id, 'delivered'],
  ]
  for (const [who, other] of [
    [ada, bob],
    [bob, ada],
  ] as const) {
    const { items } = await box(who, other)
    t.deepEqual(
      items.map(({ id, state }) => [id, state]),
      seen,
    )
  }
  t.is((await box(bob, ada)).unread, 2)
  t.is((await box(ada, bob)).unread, 0)

  const { items } = await system.run(messages.listConversations, {}, bob)
  t.deepEqual(items, [
    {
      withUserId: ada.userId,
      messages: 3,
      unread: 2,
      blocked: false,
      lastMessage: { id: third.id, fromUserId: ada.userId, text: 'How are you?', sentAt: third.sentAt },
      lastAt: third.sentAt,
    },
  ])
})

test('what is said twice stands once', async (t) => {
  const system = await createTestSystem(t)
  const beside = await createTestSystem(t, { beside: system })
  const [ada, bob] = await pair(system)
  const input = { messageId: system.newId(), toUserId: bob.userId, text: 'once' }
  const [one, other] = await Promise.all([
    system.run(messages.sendMessage, input, ada),
    beside.run(messages.sendMessage, input, ada),
  ])
  t.deepEqual(one, other)
  const { messageId } = input
  for (const each of [1, 2, 3]) {
    await system.run(each % 2 ? messages.acknowledgeMessage : messages.markRead, { messageId }, bob)
    await system.run(messages.markRead, { messageId }, bob)
  }
  t.is(await entries(system), 3)

  await system.run(messages.blockUser, { userId: ada.userId }, bob)
  await system.run(messages.blockUser, { userId: ada.userId }, bob)
  t.deepEqual(await system.run(messages.sendMessage, input, ada), one, 'the first outcome, whatever holds by now')
  for (const changed of [
    { ...input, text: 'twice' },
    { ...input, toUserId: NOBODY },
  ]) {
    t.is((await system.refused(messages.sendMessage, changed, ada)).code, 'message_id_reused')
  }
  t.is((await system.refused(messages.sendMessage, input, bob)).code, 'invalid_input')
  t.is(await entries(system), 4)
})

test('a block holds in both directions until it is taken back', async (t) => {
  const system = await createTestSystem(t)
  const [ada, bob] = await pair(system)
  const say = (from: Caller, to: Caller) => ({ input: { toUserId: to.userId, text: 'hey' }, from })
  await system.run(messages.blockUser, { userId: ada.userId }, bob)
  const toBob = say(ada, bob)
  const toAda = say(bob, ada)
  t.is((await system.refused(messages.sendMessage, toBob.input, toBob.from)).code, 'blocked_by_receiver')
  t.is((await system.refused(messages.sendMessage, toAda.input, toAda.from)).code, 'receiver_blocked')
  await system.run(messages.unblockUser, { userId: ada.userId }, bob)
  await system.run(messages.sendMessage, toBob.input, ada)
  await system.run(messages.sendMessage, toAda.input, bob)
  t.is(await entries(system), 4)
})

test('messages of many at once are numbered without gaps, and pages show them all', async (t) => {
  const system = await createTestSystem(t)
  const beside = await createTestSystem(t, { beside: system })
  const [ada, bob] = await pair(system)
  const COUNT = 60
  const sent = await Promise.all(
    Array.from({ length: COUNT }, (_, i) => {
      const [from, to] = i % 3 ? [ada, bob] : [bob, ada]
      return (i % 2 ? system : beside).run(messages.sendMessage, { toUserId: to.userId, text: `${i}` }, from)
    }),
  )
  t.deepEqual(
    sent.map(({ number }) => number).sort((a, b) => a - b),
    Array.from({ length: COUNT }, (_, i) => i + 1),
  )
  await project(system)
  const seen: number[] = []
  let cursor: string | null | undefined
  do {
    const page = await system.run(
      messages.getConversation,
      { withUserId: bob.userId, limit: 17, ...(cursor && { cursor }) },
      ada,
    )
    seen.push(...page.items.map(({ number }) => number))
    cursor = page.nextCursor
  } while (cursor)
  t.deepEqual(
    seen,
    Array.from({ length: COUNT }, (_, i) => COUNT - i),
  )
  for (const each of sent.filter(({ toUserId }) => toUserId === ada.userId)) {
    await system.run(messages.markRead, { messageId: each.id }, ada)
  }
  await project(system)
  t.is((await system.run(messages.getConversation, { withUserId: bob.userId }, ada)).unread, 0)
})

test('conversations are listed by page, the newest first', async (t) => {
  const system = await createTestSystem(t)
  const ada = await system.makeUser()
  const others: string[] = []
  for (let i = 0; i < 5; i++) {
    const other = await system.makeUser()
    others.unshift(other.userId)
    await system.run(messages.sendMessage, { toUserId: other.userId, text: 'hey' }, ada)
    if (i % 2) system.clock.advance(1)
  }
  await project(system)
  const found: string[] = []
  let cursor: string | null | undefined
  do {
    const page = await system.run(messages.listConversations, { limit: 2, ...(cursor && { cursor }) }, ada)
    found.push(...page.items.map(({ withUserId }) => withUserId))
    cursor = page.nextCursor
  } while (cursor)
  t.deepEqual(found, others)
  t.is((await system.refused(messages.listConversations, { cursor: 'bogus' }, ada)).code, 'invalid_input')
  t.is(
    (await system.refused(messages.getConversation, { withUserId: NOBODY, cursor: 'e30' }, ada)).code,
    'invalid_input',
  )
  t.like(await system.run(messages.getConversation, { withUserId: NOBODY }, ada), { items: [], nextCursor: null })
})

test('bad input is a clear error, and nothing is appended', async (t) => {
  const system = await createTestSystem(t)
  const [ada, bob] = await pair(system)
  const eve = await system.makeUser()
  const invitation = await system.run(
    calendars.inviteToBooking,
    {
      sellerId: eve.userId,
      from: new Date(START.getTime() + HOUR_MS).toISOString(),
      to: new Date(START.getTime() + 2 * HOUR_MS).toISOString(),
      note: '',
    },
    ada,
  )
  const sent = await system.run(messages.sendMessage, { toUserId: bob.userId, text: 'hey' }, ada)
  const before = await entries(system)
  const toBob = { toUserId: bob.userId, text: 'hey' }
  for (const [input, code] of [
    [{ ...toBob, fromUserId: bob.userId }, 'invalid_input'],
    [{ ...toBob, text: '' }, 'invalid_input'],
    [{ ...toBob, text: { html: '<b>' } }, 'invalid_input'],
    [{ ...toBob, text: 'x'.repeat(10_241) }, 'invalid_input'],
    [{ ...toBob, text: '€'.repeat(4000) }, 'invalid_input'],
    [{ ...toBob, text: 'x'.repeat(10_000_000) }, 'invalid_input'],
    [{ ...toBob, toUserId: ada.userId }, 'invalid_input'],
    [{ ...toBob, toUserId: 'bob' }, 'invalid_input'],
    [{ ...toBob, toUserId: NOBODY }, 'user_not_found'],
    [{ ...toBob, invitationId: NOBODY }, 'invitation_not_found'],
    [{ ...toBob, invitationId: invitation.id }, 'invitation_not_found'],
  ] as const) {
    t.is(
      (await system.refused(messages.sendMessage, input as never, ada)).code,
      code,
      JSON.stringify(input).slice(0, 100),
    )
  }
  for (const who of [ada, eve]) {
    for (const operation of [messages.markRead, messages.acknowledgeMessage]) {
      t.is((await system.refused(operation, { messageId: sent.id }, who)).code, 'message_not_found')
    }
  }
  for (const operation of [messages.blockUser, messages.unblockUser]) {
    t.is((await system.refused(operation, { userId: NOBODY }, ada)).code, 'user_not_found')
    t.is((await system.refused(operation, { userId: ada.userId }, ada)).code, 'invalid_input')
  }
  t.is(await entries(system), before)
  t.like(await system.run(messages.unblockUser, { userId: eve.userId }, bob), { seq: 0 }, 'nothing to take back')
  t.like(await system.run(messages.sendMessage, { ...toBob, toUserId: eve.userId, invitationId: invitation.id }, ada), {
    invitationId: invitation.id,
  })
})

test('whoever asks for a seq that the view does not show in time is told so', async (t) => {
  const system = await createTestSystem(t)
  const [ada, bob] = await pair(system)
  const { seq } = await system.run(messages.sendMessage, { toUserId: bob.userId, text: 'hey' }, ada)
  const refusal = await system.refused(messages.getConversation, { withUserId: ada.userId, after: seq }, bob)
  t.is(refusal.code, 'view_behind')
  const [, read] = await Promise.all([
    project(system),
    system.run(messages.getConversation, { withUserId: ada.userId, after: seq }, bob),
  ])
  t.is(read.items.length, 1)
})
