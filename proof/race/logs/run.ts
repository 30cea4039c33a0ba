import mongoose, { type mongo } from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom, type Random } from '../../support/numbers.js'
import { User } from '../../../functions/users/user.model.js'
import { databaseName } from '../../../config/index.js'
import { verify } from '../../../platform/logs/rebuild.js'
import { followersOf, projectionsOf } from '../../../projections/followers.js'
import { createRaceClient, type RaceClient } from './client.js'
import { differences, readViews, replay, type Expected } from './model.js'
import { startKilledProjections, startRaceSystem, type RaceSystem } from './system.js'
import { doSomething, newTally, type Board, type Tally } from './workload.js'

export interface RaceOptions {
  uri: string
  discoveryPort: number
  users: number
  commands: number
  /** It ends then, however many commands were sent. */
  maxSeconds: number
  seed: number
  /** Projections live so long between two kills. */
  liveFromMs: number
  liveToMs: number
  say: (line: string) => void
}

export interface RaceReport {
  commands: number
  ok: number
  refused: Record<string, number>
  kills: number
  seconds: number
  /** From the last command until every view and feed had everything. */
  settleSeconds: number
  bookingEntries: number
  messageEntries: number
  calendarItems: number
  messages: number
  /** What sockets heard, over all connections. */
  heard: number
  reconnects: number
  violations: string[]
}

const BALANCE = 20_000
/** So many of all users have no socket until the end. */
const OFFLINE_SHARE = 0.15
const SETTLE_WITHIN_MS = 900_000

/**
 * Users talk and book as fast as they can, while projections are killed and started again and again; then everything
 * that they see is compared with what the logs say.
 */
export async function runRace(options: RaceOptions): Promise<RaceReport> {
  const { uri, users: count, commands, seed, say } = options
  const race = await startRaceSystem(uri, options.discoveryPort)
  const projections = startKilledProjections(race.env, {
    random: seededRandom(seed + 1),
    fromMs: options.liveFromMs,
    toMs: options.liveToMs,
  })
  const client = await new mongoose.mongo.MongoClient(uri, { readConcernLevel: 'majority' }).connect()
  const clients: RaceClient[] = []
  try {
    for (let i = 0; i < count; i++) clients.push(createRaceClient(race.url, await race.makeUser(BALANCE)))
    say(`${count} users`)
    const tally = newTally()
    const startedAt = performance.now()
    const reconnects = await load(clients, {
      commands,
      maxSeconds: options.maxSeconds,
      random: seededRandom(seed),
      tally,
      say,
    })
    const loaded = performance.now()
    projections.rest()
    say(`${tally.commands} commands in ${((loaded - startedAt) / 1000).toFixed(0)} s, ${projections.kills} kills`)
    await settle(race, client.db(databaseName(uri)), clients, say)
    const settled = performance.now()

    const db = client.db(databaseName(uri))
    const expected = await replay(db)
    const views = await readViews(db)
    const violations = [
      ...expected.violations,
      ...views.violations,
      ...differences('calendar', expected.calendars, views.calendars),
      ...differences('messages', expected.boxes, views.boxes),
      ...checkClients(clients, expected),
      ...checkTold(tally, expected),
      ...(await checkBalances(race, clients, expected)),
      ...(await checkProduct(race)),
    ]
    return {
      commands: tally.commands,
      ok: tally.ok,
      refused: tally.refused,
      kills: projections.kills,
      seconds: (loaded - startedAt) / 1000,
      settleSeconds: (settled - loaded) / 1000,
      bookingEntries: await db.collection('bookingLog').countDocuments(),
      messageEntries: await db.collection('messageLog').countDocuments(),
      calendarItems: views.calendars.size,
      messages: [...expected.inboxes.values()].flatMap((inbox) => [...inbox.values()].flat()).length,
      heard: clients.reduce((sum, { heard }) => sum + heard.length, 0),
      reconnects,
      violations,
    }
  } finally {
    for (const each of clients) each.disconnect()
    await projections.stop()
    await client.close()
    await race.stop()
  }
}

/** All clients at once, each one command after the other. Those that stay offline send over a socket that hears nothing. */
async function load(
  clients: RaceClient[],
  options: { commands: number; maxSeconds: number; random: Random; tally: Tally; say: (line: string) => void },
): Promise<number> {
  const { commands, random, tally, say } = options
  const endsAt = Date.now() + options.maxSeconds * 1000
  const board: Board = { invitations: [], messages: [] }
  const online = clients.filter((_, i) => i >= clients.length * OFFLINE_SHARE)
  await Promise.all(online.map((each) => each.connect()))
  let reconnects = 0
  let said = 0
  await Promise.all(
    online.map(async (client) => {
      while (tally.commands < commands && Date.now() < endsAt) {
        await doSomething(clients.indexOf(client), { clients, board, tally, random })
        if (tally.commands >= said + 5000) say(`${(said += 5000)} commands`)
        if (random() > 0.01) continue
        reconnects++
        client.disconnect()
        await sleep(random() * 500)
        await client.connect()
      }
    }),
  )
  return reconnects
}

/** Until every follower has all of its log, and every client all of its feed, those that were offline too. */
async function settle(
  race: RaceSystem,
  db: mongo.Db,
  clients: RaceClient[],
  say: (line: string) => void,
): Promise<void> {
  const giveUpAt = Date.now() + SETTLE_WITHIN_MS
  await Promise.all(clients.map((each) => each.connect()))
  for (;;) {
    const before = await positions(race, db)
    const behind = clients.filter(({ userId, lastSeq }) => lastSeq() < (before.heads.get(`user:${userId}`) ?? 0))
    // Acknowledgements append: what everyone has heard may make more to hear.
    if (before.behind === 0 && behind.length === 0 && before.total === (await positions(race, db)).total) return
    if (Date.now() > giveUpAt) throw new Error(`${before.behind} entries and ${behind.length} clients are behind`)
    say(`${before.behind} entries to apply, ${behind.length} clients behind`)
    await sleep(1000)
  }
}

async function positions(race: RaceSystem, db: mongo.Db) {
  const sum = (offsets: readonly number[]): number => offsets.reduce((total, each) => total + Number(each), 0)
  const logs = new Map<string, number>()
  for (const { spec, log } of projectionsOf(race.system)) logs.set(spec.view.domain, sum(await log.ends()))
  const progress = await db.collection('projections').find().toArray()
  let behind = 0
  for (const { name, domain } of followersOf(race.system)) {
    const own = progress.find(({ _id }) => String(_id) === name)
    behind += (logs.get(domain) ?? 0) - sum((own?.offsets as number[] | undefined) ?? [])
  }
  const heads = await db
    .collection('feedEntries')
    .aggregate<{ _id: string; seq: number }>([{ $group: { _id: '$feed', seq: { $max: '$seq' } } }])
    .toArray()
  return {
    behind,
    total: [...logs.values()].reduce((total, each) => total + each, 0),
    heads: new Map(heads.map(({ _id, seq }) => [_id, seq])),
  }
}

/** Every message to a user came to their socket exactly once, in the order of its conversation, and was acknowledged. */
function checkClients(clients: RaceClient[], { inboxes, delivered }: Expected): string[] {
  return clients.flatMap(({ userId, heard, breaks }) => {
    const came = new Map<string, string[]>()
    for (const { name, data } of heard) {
      if (name !== 'message:new') continue
      const from = String(data.fromUserId)
      came.set(from, [...(came.get(from) ?? []), String(data.messageId)])
    }
    const sent = inboxes.get(userId) ?? new Map<string, string[]>()
    return [
      ...breaks,
      ...[...new Set([...sent.keys(), ...came.keys()])]
        .filter((from) => String(sent.get(from) ?? []) !== String(came.get(from) ?? []))
        .map((from) => `${userId} heard something else from ${from} than was sent`),
      ...[...sent.values()]
        .flat()
        .filter((id) => !delivered.has(id))
        .map((id) => `${id} was never marked delivered`),
    ]
  })
}

/** What a client was told of is in the log, in the stream that it is about. */
function checkTold({ told, unseen, refused }: Tally, { seqs }: Expected): string[] {
  const bookings = /Invitation|Booking/
  return [
    ...told.flatMap(({ operation, seq, id }) => {
      const log = bookings.test(operation) ? 'bookingLog' : 'messageLog'
      const stream = seqs.get(`${log} ${seq}`)
      if (stream === undefined) return [`${operation} ${id} was told ${seq}, which is in no log`]
      return log === 'bookingLog' && stream !== id ? [`${operation} ${id} was told a seq of ${stream}`] : []
    }),
    ...unseen.map((each) => `own write not seen: ${each}`),
    ...(refused['internal'] ? [`${refused['internal']} commands ended in internal`] : []),
  ]
}

async function checkBalances({ system }: RaceSystem, clients: RaceClient[], { moved }: Expected): Promise<string[]> {
  const found = await system.model(User).find({}, { balance: 1 }).lean()
  const balances = new Map(found.map(({ _id, balance }) => [_id.toHexString(), Number(balance)]))
  return clients.flatMap(({ userId }) => {
    const expected = BALANCE + (moved.get(userId) ?? 0)
    const balance = balances.get(userId)
    return balance === expected ? [] : [`${userId} has ${balance}, expected ${expected}`]
  })
}

/** What the product's own verification says. */
async function checkProduct({ system }: RaceSystem): Promise<string[]> {
  const found: string[] = []
  for (const projection of projectionsOf(system)) {
    const { differences: own } = await verify(system, projection, () => {})
    found.push(...own.map((each) => `${projection.name} verify: ${each.slice(0, 300)}`))
  }
  return found
}
