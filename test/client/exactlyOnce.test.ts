import test from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type Entry, type Gap, type Holdfast } from '../../client/src/index.js'
import { bookings } from '../../functions/bookings/contract.js'
import { feeds } from '../../functions/feeds/contract.js'
import { users } from '../../functions/users/contract.js'
import type { Caller } from '../../platform/contract/caller.js'
import { signToken } from '../../platform/runtime/tokens.js'
import { startProxy } from '../../proof/support/proxy.js'
import { until } from '../../proof/support/until.js'
import { seededRandom } from '../../proof/support/numbers.js'
import { stageOf, type Stage } from '../lobbies/support.js'

const CLIENTS = 4
const ROUNDS = 8
const BALANCE = 1_000_000
const PRICE = 100
const TOKEN_TTL_MS = 2000
const HOUR_MS = 3_600_000
const FIRST_MS = Date.parse('2031-01-01T00:00:00.000Z')

/** What a loop got, in order, until it ends. */
function collect(following: AsyncIterable<Entry | Gap>): { got: (Entry | Gap)[]; ended: Promise<void> } {
  const got: (Entry | Gap)[] = []
  return {
    got,
    ended: (async () => {
      for await (const entry of following) got.push(entry)
    })(),
  }
}

const seqsOf = (entries: readonly (Entry | Gap)[]): unknown[] =>
  entries.map((entry) => ('before' in entry ? 'gap' : entry.seq))

/** The numbers of a feed behind one. */
async function stored({ system }: Stage, feed: string, after: number): Promise<number[]> {
  const { entries } = await system.run(feeds.readFeed, { feed, after, limit: 500 })
  return entries.map(({ seq }) => seq)
}

/** A user's program: books a car of its own by the hour, and says so, again and again. */
async function work(
  holdfast: Holdfast,
  lobbyId: string,
  carId: string,
  say: (round: number) => string,
): Promise<string[]> {
  const made: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const from = new Date(FIRST_MS + round * HOUR_MS)
    const { id } = await holdfast.createBooking({ carId, from, to: new Date(from.getTime() + HOUR_MS) })
    made.push(id)
    await holdfast.postToLobby({ lobbyId, text: say(round) })
  }
  return made
}

test('whatever goes, what was acknowledged was done once, and feeds are complete and in order', async (t) => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e6))
  t.log(`SEED=${seed}`)
  const random = seededRandom(seed)
  const stage = await stageOf(t, { env: { RATE_LIMIT_PER_SECOND: '0' } })
  const { system, lobbyId, workers } = stage
  let proxy = await startProxy({ targetPort: workers[0].port, random })
  const { port } = proxy
  t.teardown(() => proxy.close())

  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const caller: Caller = await system.makeUser({ balance: BALANCE })
      const carId = await system.makeCar({ pricePerHour: PRICE })
      const token = (): Promise<string> =>
        signToken({ ...caller, tokenVersion: 0 }, { ...system.config, tokenTtlMs: TOKEN_TTL_MS }, system.now())
      const holdfast = await connect(`http://127.0.0.1:${port}`, { token, deadlineMs: 60_000 })
      t.teardown(holdfast.close)
      const [lobby, news] = [holdfast.lobby(lobbyId), holdfast.news()]
      const [inLobby, inNews] = [collect(lobby), collect(news)]
      await Promise.all([lobby.following, news.following])
      return { caller, carId, holdfast, lobby, news, inLobby, inNews }
    }),
  )

  let working = true
  const mischief = (async () => {
    for (let turn = 1; working; turn++) {
      await sleep(100 + random() * 300)
      for (const { caller } of clients) {
        const entry = { key: `turn ${turn}`, name: 'test:told', data: {}, at: system.now().toISOString() }
        await system.run(feeds.appendToFeed, { feed: `user:${caller.userId}`, entries: [entry] })
      }
      if (turn !== 5) proxy.reset()
      else {
        // A worker goes, and the network with it for a while; what comes back reaches the other one.
        await proxy.close()
        await workers[0].gateway.drain()
        proxy = await startProxy({ targetPort: workers[1].port, port, random })
      }
    }
  })()

  const made = await Promise.all(
    clients.map(({ holdfast, carId, caller }) =>
      work(holdfast, lobbyId, carId, (round) => `${caller.userId} ${round}`),
    ),
  )
  working = false
  await mischief

  for (const [i, { caller, lobby, news, inLobby, inNews }] of clients.entries()) {
    const { items } = await system.run(bookings.listBookings, { userId: caller.userId, limit: 200 })
    t.deepEqual(items.map(({ id }) => id).sort(), (made[i] as string[]).toSorted())
    t.true(items.every(({ state }) => state === 'COMMITTED'))
    t.is((await system.run(users.getUser, { userId: caller.userId })).balance, BALANCE - ROUNDS * PRICE)

    const first = (entries: (Entry | Gap)[]): number => ((entries[0] as Entry | undefined)?.seq ?? 1) - 1
    const told = (feed: string, { got }: typeof inNews) =>
      until(async () => (await stored(stage, feed, first(got))).length <= got.length, { timeoutMs: 30_000, what: feed })
    await told(`user:${caller.userId}`, inNews)
    await told(`lobby:${lobbyId}`, inLobby)
    t.deepEqual(seqsOf(inNews.got), await stored(stage, `user:${caller.userId}`, 0))
    const inOrder = await stored(stage, `lobby:${lobbyId}`, first(inLobby.got))
    t.deepEqual(seqsOf(inLobby.got).slice(0, inOrder.length), inOrder)
    const texts = inLobby.got.flatMap((entry) => ('text' in entry ? [entry.text as string] : []))
    const said = clients.flatMap((each) =>
      Array.from({ length: ROUNDS }, (_, round) => `${each.caller.userId} ${round}`),
    )
    t.deepEqual(texts.toSorted(), said.toSorted())
    lobby.end()
    news.end()
    await Promise.all([inLobby.ended, inNews.ended])
  }
})

test('who reads slowly is told everything all the same', async (t) => {
  const stage = await stageOf(t, { env: { RATE_LIMIT_PER_SECOND: '0' } })
  const { system, lobbyId, workers } = stage
  const token = await signToken({ ...(await system.makeUser()), tokenVersion: 0 }, system.config, system.now())
  const holdfast = await connect(`http://127.0.0.1:${workers[0].port}`, { token })
  t.teardown(holdfast.close)
  const lobby = holdfast.lobby(lobbyId, { lastSeq: 0 })
  await lobby.following
  const at = system.now().toISOString()
  const PAGES = 12
  for (let page = 0; page < PAGES; page++) {
    const entries = Array.from({ length: 200 }, (_, i) => ({ key: `${page} ${i}`, name: 'test:told', data: {}, at }))
    await system.run(feeds.appendToFeed, { feed: `lobby:${lobbyId}`, entries })
  }
  let last = 0
  for await (const entry of lobby) {
    if ('before' in entry || entry.seq !== last + 1) return t.fail(JSON.stringify({ last, entry }))
    last = entry.seq
    if (last === 200 * PAGES) break
  }
  t.is(last, 200 * PAGES)
})
