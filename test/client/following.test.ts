import test from 'ava'
import { connect, type Entry, type Gap } from '../../client/src/index.js'
import { feeds } from '../../functions/feeds/contract.js'
import { lobbies } from '../../functions/lobbies/contract.js'
import { signToken } from '../../platform/runtime/tokens.js'
import { startProxy } from '../../proof/support/proxy.js'
import { until } from '../../proof/support/until.js'
import { stageOf } from '../lobbies/support.js'

const MANY = 20

test('a lobby and the news are followed over connections that break: complete, in order, each once', async (t) => {
  const stage = await stageOf(t, { env: { RATE_LIMIT_PER_SECOND: '0' } })
  const { system, lobbyId, trainId, workers } = stage
  const ada = await system.makeUser({ balance: 100_000 })
  const speaker = await stage.join(await system.makeUser())
  const proxy = await startProxy({ targetPort: workers[0].port, random: () => 1 })
  t.teardown(() => proxy.close())
  const token = await signToken({ ...ada, tokenVersion: 0 }, system.config, system.now())
  const holdfast = await connect(`http://127.0.0.1:${proxy.port}`, { token })
  t.teardown(holdfast.close)

  const inLobby: (Entry | Gap)[] = []
  const lobby = holdfast.lobby(lobbyId)
  const readLobby = (async () => {
    for await (const entry of lobby) {
      inLobby.push(entry)
      if ('text' in entry && entry.text === `line ${MANY - 1}`) break
    }
  })()
  const inNews: (Entry | Gap)[] = []
  const news = holdfast.news()
  const readNews = (async () => {
    for await (const entry of news) {
      inNews.push(entry)
      if (entry.name === 'booking:confirmed') break
    }
  })()
  await Promise.all([lobby.following, news.following])

  for (let i = 0; i < MANY; i++) {
    await speaker.call('postToLobby', { lobbyId, text: `line ${i}` })
    if (i % 7 === 3) proxy.reset()
  }
  await readLobby
  const texts = inLobby.flatMap((entry) => ('text' in entry ? [entry.text] : []))
  t.deepEqual(
    texts,
    Array.from({ length: MANY }, (_, i) => `line ${i}`),
  )
  const seqs = inLobby.map((entry) => (entry as Entry).seq)
  t.deepEqual(
    seqs,
    seqs.map((_, i) => (seqs[0] as number) + i),
  )

  // After `break` it has left, so how its seats were booked comes to it as news.
  await until(async () => !(await system.run(lobbies.getLobby, { lobbyId })).members.includes(ada.userId))
  const { bookingId } = await holdfast.startBooking({ trainId, passengers: [{ name: 'Ada' }] })
  proxy.reset()
  await readNews
  t.like(inNews.at(-1), { name: 'booking:confirmed', bookingId })
})

test('whoever is not signed in has no news, and a lobby that does not exist ends its loop with the refusal', async (t) => {
  const { system, workers } = await stageOf(t)
  const url = `http://127.0.0.1:${workers[0].port}`
  const anonymous = await connect(url)
  t.teardown(anonymous.close)
  await t.throwsAsync(anonymous.news().following, { message: /signed in/ })

  const token = await signToken({ ...(await system.makeUser()), tokenVersion: 0 }, system.config, system.now())
  const holdfast = await connect(url, { token })
  t.teardown(holdfast.close)
  await t.throwsAsync(
    async () => {
      for await (const entry of holdfast.lobby('f'.repeat(24))) t.fail(JSON.stringify(entry))
    },
    { message: /no lobby/i },
  )
})

test('a lobby is followed more than once, each from where it was; all loops end when it is closed', async (t) => {
  const stage = await stageOf(t)
  const { system, lobbyId, workers } = stage
  const token = await signToken({ ...(await system.makeUser()), tokenVersion: 0 }, system.config, system.now())
  const holdfast = await connect(`http://127.0.0.1:${workers[0].port}`, { token })
  t.teardown(holdfast.close)
  const follow = (options: { lastSeq?: number } = {}) => {
    const lobby = holdfast.lobby(lobbyId, options)
    const texts: unknown[] = []
    const read = (async () => {
      for await (const entry of lobby) if (entry.name === 'lobby:message') texts.push(entry.text)
    })()
    return { lobby, texts, read }
  }
  const first = follow()
  await first.lobby.following
  await holdfast.postToLobby({ lobbyId, text: 'one' })
  await until(() => first.texts.length === 1)
  const second = follow({ lastSeq: 0 })
  const third = follow()
  await Promise.all([second.lobby.following, third.lobby.following])
  await holdfast.postToLobby({ lobbyId, text: 'two' })
  await until(() => second.texts.length === 2 && third.texts.length === 1)
  third.lobby.end()
  await third.read
  await system.run(lobbies.deleteLobby, { lobbyId })
  await Promise.all([first.read, second.read])
  t.deepEqual([first.texts, second.texts, third.texts], [['one', 'two'], ['one', 'two'], ['two']])
})

test('of the news, a calendar and a conversation get what concerns them; what is older comes by lastSeq', async (t) => {
  const { system, workers } = await stageOf(t)
  const [ada, bob, eve] = [await system.makeUser(), await system.makeUser(), await system.makeUser()]
  const tell = (key: string, name: string, data: object) =>
    system.run(feeds.appendToFeed, {
      feed: `user:${ada.userId}`,
      entries: [{ key, name, data: { ...data }, at: system.now().toISOString() }],
    })
  const token = await signToken({ ...ada, tokenVersion: 0 }, system.config, system.now())
  const holdfast = await connect(`http://127.0.0.1:${workers[0].port}`, { token })
  t.teardown(holdfast.close)
  await holdfast.news().following
  await tell('1', 'message:new', { fromUserId: bob.userId, text: 'Hello' })
  await tell('2', 'message:new', { fromUserId: eve.userId, text: 'Psst' })
  await tell('3', 'calendar:updated', {})
  await tell('4', 'message:delivered', { toUserId: bob.userId })
  await tell('5', 'calendar:updated', {})
  const seqs = async (following: AsyncIterable<{ name: string; seq?: number }>): Promise<unknown[]> => {
    const found: unknown[] = []
    for await (const { seq } of following) if (found.push(seq) === 2) break
    return found
  }
  t.deepEqual(
    await Promise.all([
      seqs(holdfast.conversation(bob.userId, { lastSeq: 0 })),
      seqs(holdfast.calendar({ lastSeq: 0 })),
      seqs(holdfast.news({ lastSeq: 3 })),
    ]),
    [
      [1, 4],
      [3, 5],
      [4, 5],
    ],
  )
})
