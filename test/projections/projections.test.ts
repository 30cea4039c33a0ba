import test from 'ava'
import { calendars } from '../../functions/calendars/contract.js'
import { messages } from '../../functions/messages/contract.js'
import { MessageBox } from '../../functions/messages/messageBox.model.js'
import { messageBoxProjection } from '../../functions/messages/messageBox.projection.js'
import { feeds } from '../../functions/feeds/contract.js'
import { offsetOf, partitionOf, PARTITIONS, seqOf } from '../../platform/logs/appendLog.js'
import type { Caller } from '../../platform/contract/caller.js'
import { onFailpoint } from '../../platform/lib/failpoints.js'
import type { Projection } from '../../platform/logs/projection.js'
import { rebuild, statusOf, verify } from '../../platform/logs/rebuild.js'
import { followersOf, projectionsOf } from '../../projections/followers.js'
import { startFollowers } from '../../projections/runner.js'
import { createTestSystem, HOUR_MS, START, type TestSystem } from '../support/system.js'
import { until } from '../../proof/support/until.js'

const quiet = (): void => {}

async function talk(system: TestSystem, count: number): Promise<[Caller, Caller]> {
  const [ada, bob] = [await system.makeUser(), await system.makeUser()]
  await say(system, [ada, bob], count)
  return [ada, bob]
}

const say = (system: TestSystem, [ada, bob]: [Caller, Caller], count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, i) =>
      system.run(messages.sendMessage, { toUserId: (i % 2 ? ada : bob).userId, text: `${i}` }, i % 2 ? bob : ada),
    ),
  )

/** Numbers of the messages that a user's box shows, oldest first. */
const shown = async (system: TestSystem, [ada, bob]: [Caller, Caller]): Promise<number[]> => {
  const { items } = await system.run(messages.getConversation, { withUserId: bob.userId, limit: 200 }, ada)
  return items.map(({ number }) => number).reverse()
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)

async function drain({ advance }: Pick<Projection, 'advance'>): Promise<void> {
  while ((await advance()) > 0);
}

const anyProjection = (system: TestSystem): Projection => projectionsOf(system)[1] as Projection

test('a seq is its partition and the offset in it', (t) => {
  for (const partition of [0, 1, PARTITIONS - 1]) {
    for (const offset of [1, 2 ** 31, 2 ** 40 - 1]) {
      const seq = seqOf(partition, offset)
      t.true(Number.isSafeInteger(seq))
      t.deepEqual([partitionOf(seq), offsetOf(seq)], [partition, offset])
    }
  }
})

test.serial('a projection that dies before or after it saved applies every entry once', async (t) => {
  const system = await createTestSystem(t)
  const users = await talk(system, 30)
  for (const name of ['messageBoxes.advance.before', 'messageBoxes.advance.after']) {
    onFailpoint((point) => {
      if (point === name) throw new Error('crash')
    })
    await t.throwsAsync(() => system.use(messageBoxProjection).advance(), { message: 'crash' })
    onFailpoint(null)
  }
  await drain(system.use(messageBoxProjection))
  t.deepEqual(await shown(system, users), upTo(30))
})

test('two processes at once apply every entry once', async (t) => {
  const system = await createTestSystem(t)
  const beside = await createTestSystem(t, { beside: system })
  const users = await talk(system, 10)
  const done = { value: false }
  const run = async (each: TestSystem): Promise<void> => {
    const projection = each.use(messageBoxProjection)
    while (!done.value) await projection.advance()
    await drain(projection)
  }
  const runs = [run(system), run(beside)]
  for (let i = 0; i < 10; i++) await say(system, users, 10)
  done.value = true
  await Promise.all(runs)
  t.deepEqual(await shown(system, users), upTo(110))
})

test('a rebuilt view is the one that served, which serves until then; a view that was tampered with is found', async (t) => {
  const system = await createTestSystem(t)
  const users = await talk(system, 60)
  const projection = anyProjection(system)
  await drain(projection)
  t.like(await verify(system, projection, quiet), { equal: true, entries: 60, documents: 2 + 2 * 3 })

  const rebuilding = rebuild(system, projectionsOf(system)[1] as Projection, quiet)
  await until(async () => (await statusOf(system, projection)).generation === 2)
  await say(system, users, 5)
  await drain(projection)
  t.deepEqual(await shown(system, users), upTo(65), 'goes on in the new generation')
  t.is(await rebuilding, 60)
  t.like(await statusOf(system, projection), { generation: 2, applied: 65, behind: 0 })
  t.is(await system.model(MessageBox).countDocuments({ generation: 1 } as never, { hint: '_id_' }), 0)
  t.like(await verify(system, projection, quiet), { equal: true, entries: 65 })

  const boxes = system.model(MessageBox).collection
  await boxes.updateOne({ kind: 'conversation' }, { $inc: { unread: 1 } }, { hint: '_id_' })
  await boxes.deleteOne({ kind: 'page', page: 0 }, { hint: '_id_' })
  const found = await verify(system, projection, quiet)
  t.false(found.equal)
  t.is(found.differences.length, 2)
  t.regex(found.differences.join('\n'), /is in the log, does not serve/)
})

test('a rebuild that was cut short goes on; one that somebody else ended does no harm', async (t) => {
  const system = await createTestSystem(t)
  const users = await talk(system, 20)
  const projection = anyProjection(system)
  await drain(projection)
  const [one, other] = await Promise.allSettled([
    rebuild(system, projection, quiet),
    rebuild(system, projectionsOf(await createTestSystem(t, { beside: system }))[1] as Projection, quiet),
  ])
  t.true([one, other].some(({ status }) => status === 'fulfilled'))
  await say(system, users, 3)
  await drain(projection)
  t.deepEqual(await shown(system, users), upTo(23))
  t.like(await verify(system, projection, quiet), { equal: true })
})

test('an entry that can’t be taken halts its stream alone, is told, and is taken with all behind it once it can be', async (t) => {
  const system = await createTestSystem(t)
  const [ada, bob, ...others] = await Promise.all(Array.from({ length: 12 }, () => system.makeUser()))
  if (!ada || !bob) throw new Error('nobody')
  const send = async (from: Caller, to: Caller, text: string): Promise<number> =>
    (await system.run(messages.sendMessage, { toUserId: to.userId, text }, from)).seq
  const heard = async ({ userId }: Caller): Promise<unknown[]> => {
    const { entries } = await system.run(feeds.readFeed, { feed: `user:${userId}`, after: 0 }, null)
    return entries.map(({ data }) => data['text'])
  }
  const followers = followersOf(system)
  const drainAll = async (): Promise<void> => {
    for (const follower of followers) await drain(follower)
  }
  const checks = async () => {
    const told = (await system.run(messages.reportMessageView, {}, null)).checks
    return told.map(({ ok, detail }) => (ok ? 'ok' : detail))
  }

  const first = await send(ada, bob, '1')
  await drainAll()
  const bad = await send(ada, bob, '2')
  const log = system.databases.connection('messages').collection<{ _id: number; message?: unknown }>('messageLog')
  const { message } = (await log.findOne({ _id: bad })) ?? {}
  const write = (value: unknown) =>
    log.updateOne({ _id: bad }, { $set: { message: value } }, { bypassDocumentValidation: true })
  await write(null)
  for (const other of others) await send(ada, other, 'to another')
  const last = await send(bob, ada, '3')
  await drainAll()

  for (const other of others) t.is((await shown(system, [other, ada])).length, 1)
  for (const other of others) t.deepEqual(await heard(other), ['to another'])
  t.deepEqual(await shown(system, [ada, bob]), [1])
  t.deepEqual([await heard(bob), await heard(ada)], [['1'], []])
  const read = { withUserId: bob.userId, after: last }
  t.is((await system.refused(messages.getConversation, read, ada)).code, 'view_behind')
  t.is((await system.run(messages.getConversation, { ...read, after: first }, ada)).items.length, 1)
  system.clock.advance(60_000)
  const stands = (name: string) => `${name} can't take 1 streams, the oldest for 1 min`
  t.deepEqual(await checks(), [stands('messageBoxes'), stands('messageLog')])
  for (let i = 0; i < 12; i++) {
    await drainAll()
    system.clock.advance(300_001)
  }
  const { halts } = await statusOf(system, anyProjection(system))
  t.is(halts.length, 1)
  t.true((halts[0]?.failures ?? 0) > 10)

  await write(message)
  await drainAll()
  t.deepEqual(await shown(system, [ada, bob]), [1, 2, 3])
  t.deepEqual([await heard(bob), await heard(ada)], [['1', '2'], ['3']])
  t.deepEqual(await checks(), ['ok', 'ok'])
  t.like(await verify(system, anyProjection(system), quiet), { equal: true })
})

test('followers keep views and feeds up with the logs, woken by what is appended', async (t) => {
  const system = await createTestSystem(t)
  const [buyer, seller] = [await system.makeUser(), await system.makeUser()]
  const runner = startFollowers(system, followersOf(system))
  try {
    const invitation = await system.run(
      calendars.inviteToBooking,
      {
        sellerId: seller.userId,
        from: new Date(START.getTime() + HOUR_MS).toISOString(),
        to: new Date(START.getTime() + 2 * HOUR_MS).toISOString(),
        note: 'Piano',
      },
      buyer,
    )
    const sent = await system.run(messages.sendMessage, { toUserId: seller.userId, text: 'See you' }, buyer)
    await system.run(messages.acknowledgeMessage, { messageId: sent.id }, seller)
    const { items } = await system.run(
      calendars.getCalendar,
      {
        from: START.toISOString(),
        to: new Date(START.getTime() + 24 * HOUR_MS).toISOString(),
        as: 'seller',
        after: invitation.seq,
      },
      seller,
    )
    t.is(items.length, 1)
    const heard = async ({ userId }: Caller, count: number) => {
      const feed = `user:${userId}`
      const entries = await until(async () => {
        const answer = await system.run(feeds.readFeed, { feed, after: 0 }, null)
        return answer.entries.length >= count ? answer.entries : undefined
      })
      return entries.map(({ name, data }) => ({ name, data })).sort((a, b) => (a.name < b.name ? -1 : 1))
    }
    t.like(await heard(seller, 3), [
      { name: 'calendar:updated', data: { as: 'seller', invitationId: invitation.id, after: invitation.seq } },
      { name: 'invitation:updated', data: { id: invitation.id, state: 'invited', note: 'Piano' } },
      { name: 'message:new', data: { messageId: sent.id, fromUserId: buyer.userId, text: 'See you' } },
    ])
    t.like(await heard(buyer, 3), [
      { name: 'calendar:updated', data: { as: 'buyer' } },
      { name: 'invitation:updated' },
      { name: 'message:delivered', data: { messageId: sent.id, state: 'delivered', toUserId: seller.userId } },
    ])
  } finally {
    await runner.stop()
  }
})
