import mongoose from 'mongoose'
import { databaseName } from '../../config/index.js'
import { install, type Installation } from '../support/installation.js'
import { seededRandom } from '../support/numbers.js'
import { until } from '../support/until.js'
import { MONEY, muster, sail, setScene, type Sailor } from './crew.js'
import { judge, type Books, type Followed } from './verdict.js'
import { brew, layNetwork, type Network, type Weather } from './weather.js'

export interface StormReport {
  seed: number
  minutes: number
  clients: number
  tokenSeconds: number
  offered: number
  acknowledged: number
  /** By code. */
  refused: Record<string, number>
  failed: Record<string, number>
  posts: number
  feeds: number
  entries: number
  /** How often clients came online again. */
  reconnects: number
  weather: Weather
  violations: string[]
}

export interface StormOptions {
  minutes: number
  seed: number
  clients: number
  bookings: number
  say(line: string): void
  /** Aborted: everything is taken down, and the run rejects. */
  signal: AbortSignal
}

const TOKEN_TTL_MS = 20_000
const SETTINGS = { PLACEMENT: 'functions=1,gateway=2', SESSION_TOKEN_TTL_MS: String(TOKEN_TTL_MS) }
const GRACE_MS = 60_000
const PROGRESS_MS = 15_000
const MINUTE_MS = 60_000

/** One run, from an empty directory to a report. Nothing runs any more when it ends, however it ends. */
export async function runStorm(options: StormOptions): Promise<StormReport> {
  const { seed, say, signal } = options
  const system = await install(SETTINGS)
  try {
    say('Starting the system')
    const { code, output } = await system.cli('start')
    if (code !== 0) throw new Error(`npm start failed:\n${output}`)
    signal.throwIfAborted()
    const network = await layNetwork(system.config.gateway.port, seededRandom(seed + 1))
    try {
      return await drive(system, network, options)
    } finally {
      await network.close()
    }
  } finally {
    say('Taking everything down')
    await system.remove()
  }
}

async function drive(system: Installation, network: Network, options: StormOptions): Promise<StormReport> {
  const { minutes, seed, clients, bookings, say, signal } = options
  const forMs = minutes * MINUTE_MS
  say(`Settling ${clients} users`)
  const scene = await setScene(system.url, await system.adminToken(), clients)
  const sailors = await muster(`http://127.0.0.1:${network.port}`, scene, seed)
  try {
    say(`${clients} clients follow ${2 * clients} feeds; ${bookings} bookings in ${minutes} minutes`)
    const wanted = scene.carIds.slice(clients)
    const share = (i: number): number => Math.floor(bookings / clients) + (i < bookings % clients ? 1 : 0)
    const progress = setInterval(() => say(progressOf(sailors)), PROGRESS_MS)
    const stop = new AbortController()
    const both = AbortSignal.any([signal, stop.signal])
    try {
      const sailing = sailors.map((each, i) => sail(each, { wanted, bookings: share(i), forMs, signal: both }))
      const brewing = brew({ system, network, random: seededRandom(seed), say }, { forMs, signal })
      const [seen] = await Promise.all([brewing, ...sailing])
      say(progressOf(sailors))
      return await settle(system, sailors, options, seen)
    } finally {
      clearInterval(progress)
      stop.abort()
    }
  } finally {
    for (const { holdfast } of sailors) holdfast.close()
  }
}

async function settle(
  system: Installation,
  sailors: readonly Sailor[],
  { minutes, seed, clients }: StormOptions,
  weather: Weather,
): Promise<StormReport> {
  const asked = sailors.flatMap((each) => each.asked)
  const posted = sailors.flatMap((each) => each.posted)
  const followed = sailors.flatMap(({ userId, lobbyId, news, lobby }): Followed[] => [
    { feed: `user:${userId}`, by: userId, got: news },
    { feed: `lobby:${lobbyId}`, by: userId, got: lobby },
  ])
  const books = await readBooks(system, followed)
  // Whoever misses something for good is named by the verdict.
  await until(() => followed.every((each) => each.got.length >= (books.feeds.get(each.feed)?.length ?? 0)), {
    timeoutMs: GRACE_MS,
  }).catch(() => {})
  const violations = [
    ...judge({ asked, posted, followed, money: MONEY }, books),
    ...(await judgeSessions(sailors)),
    ...(await audit(system)),
  ]
  return {
    ...{ seed, minutes, clients, tokenSeconds: TOKEN_TTL_MS / 1000 },
    offered: asked.length,
    acknowledged: asked.filter(({ outcome }) => outcome === 'acknowledged').length,
    refused: codesOf(asked, 'refused'),
    failed: codesOf(asked, 'failed'),
    posts: posted.length,
    feeds: followed.length,
    entries: followed.reduce((sum, { got }) => sum + got.length, 0),
    reconnects: sailors.reduce((sum, { connections }) => sum + connections, 0),
    weather,
    violations,
  }
}

interface StoredEntry {
  feed: string
  name: string
  seq: number
  data: object
  at: Date
}

/** From the database itself. */
async function readBooks(system: Installation, followed: readonly Followed[]): Promise<Books> {
  const uri = system.config.mongodbUri('bookings')
  const client = await new mongoose.mongo.MongoClient(uri, { readConcernLevel: 'majority' }).connect()
  try {
    const db = client.db(databaseName(uri))
    const bookings = await db.collection('bookings').find().toArray()
    const users = await db.collection('users').find().project({ balance: 1 }).toArray()
    const feeds = new Map<string, object[]>()
    for (const feed of new Set(followed.map((each) => each.feed))) {
      const entries = await db.collection<StoredEntry>('feedEntries').find({ feed }).sort({ seq: 1 }).toArray()
      const [kind, id] = feed.split(':')
      const told = entries.map(({ name, data, seq, at }) => ({
        ...{ ...data, seq, at, name },
        ...(kind === 'lobby' && { lobbyId: id }),
      }))
      feeds.set(feed, JSON.parse(JSON.stringify(told)) as object[])
    }
    return {
      bookings: bookings.map(({ _id, userId, carId, from, state, cost }) => ({
        id: String(_id),
        userId: String(userId),
        carId: String(carId),
        from: (from as Date).toISOString(),
        state: String(state),
        cost: Number(cost),
      })),
      // Not the one who only gave the others their money.
      balances: new Map(
        users
          .filter(({ _id }) => followed.some(({ by }) => by === String(_id)))
          .map(({ _id, balance }) => [String(_id), Number(balance)]),
      ),
      feeds,
    }
  } finally {
    await client.close()
  }
}

/** Nobody was signed out, and everybody's token was replaced. Some have theirs replaced right now: calls wait for that. */
async function judgeSessions(sailors: readonly Sailor[]): Promise<string[]> {
  const wrong = await Promise.all(
    sailors.map(async ({ holdfast, userId }) => {
      try {
        const { items } = await holdfast.listSessions({ userId })
        const [session] = items
        if (items.length === 1 && session && session.lastUsedAt !== session.createdAt) return []
        return [`user ${userId} has ${items.length} sessions: ${JSON.stringify(items)}`]
      } catch (error) {
        return [`the client of ${userId} is ${holdfast.status.state}: ${String(error)}`]
      }
    }),
  )
  return wrong.flat()
}

async function audit(system: Installation): Promise<string[]> {
  const { code, output } = await system.cli('audit')
  return code === 0 ? [] : [`the books: ${output.trim()}`]
}

function codesOf(asked: readonly ({ outcome: string } | { outcome: string; code: string })[], outcome: string) {
  const counts: Record<string, number> = {}
  for (const each of asked) {
    if (each.outcome === outcome && 'code' in each) counts[each.code] = (counts[each.code] ?? 0) + 1
  }
  return counts
}

function progressOf(sailors: readonly Sailor[]): string {
  const asked = sailors.flatMap((each) => each.asked)
  const acknowledged = asked.filter(({ outcome }) => outcome === 'acknowledged').length
  const online = sailors.filter(({ holdfast }) => holdfast.status.state === 'online').length
  return `${asked.length} answered, ${acknowledged} of them acknowledged; ${online} of ${sailors.length} clients online`
}
