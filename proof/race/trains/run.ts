import { spawn, type ChildProcess } from 'node:child_process'
import { setMaxListeners } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import mongoose from 'mongoose'
import { seededRandom } from '../../support/numbers.js'
import { pm2Processes } from '../../support/appProcesses.js'
import { connect, newId, type Holdfast } from '../../../client/src/index.js'
import { databaseName, mongodSettings } from '../../../config/index.js'
import { signToken } from '../../../platform/runtime/tokens.js'
import { freeTcpPorts, install, LEAN_PLACEMENT, type Installation } from '../../support/installation.js'
import { check, type Books } from './check.js'
import { bareFanOut, fanOutOf, type FanOut } from './fanout.js'
import { groupBy } from './groupBy.js'
import { createPassenger, type Passenger } from './passenger.js'

export interface RaceOptions {
  clients: number
  seats: number
  seed: number
  /** Between two kills; 0: nothing is killed. */
  killEveryMs: number
  /** Within which all of them press the button. */
  rushMs: number
  /** Ends the race early: runRace rejects with its reason, when everything is down. */
  interrupt?: AbortSignal
  say(line: string): void
}

export interface RaceReport {
  seed: number
  clients: number
  seats: number
  sold: number
  bookings: { started: number; confirmed: number; rejected: number }
  tookMs: number
  kills: Record<string, number>
  fanOut: { idle: FanOut; race: FanOut; bareIdle: FanOut; bareRace: FanOut }
  violations: string[]
}

const LOBBIES = 4
const PRICE = 1000
const IDLE_MESSAGES = 20
const GRACE_MS = 300_000
const SETTINGS = {
  RECOVERY_STUCK_AFTER_MS: '20000',
  RECOVERY_INTERVAL_MS: '500',
  RATE_LIMIT_PER_SECOND: '0',
  LOG_LEVEL: 'warn',
  PLACEMENT: LEAN_PLACEMENT,
}
/** What may be killed at any moment. */
const MORTAL = /^(bookings|users|trains|feeds|lobbies|events|jobs|gateway)-/

/** One race, from an empty directory to a report. Nothing runs any more when it ends. */
export async function runRace(options: RaceOptions): Promise<RaceReport> {
  const { say } = options
  const redis = await startRedis()
  say(redis ? 'A Redis is the cache' : 'No redis-server here: memory is the cache')
  say('Starting the system')
  const system = await install({ ...SETTINGS, ...(redis && { REDIS_URL: redis.url }) })
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const passengers: Passenger[] = []
  try {
    const { code, output } = await system.cli('start')
    if (code !== 0) throw new Error(`npm start failed:\n${output}`)
    const driving = drive({ ...options, system, redis, passengers, signal: stop.signal })
    return await Promise.race([driving, interruption(options.interrupt)])
  } finally {
    say('Taking everything down')
    stop.abort()
    for (const each of passengers) each.close()
    redis?.kill()
    await system.remove()
  }
}

/** Rejects when told to stop. */
const interruption = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })

interface Run extends RaceOptions {
  system: Installation
  redis: RaceRedis | undefined
  passengers: Passenger[]
  signal: AbortSignal
}

async function drive(run: Run): Promise<RaceReport> {
  const { clients, seats, seed, rushMs, say, system, passengers } = run
  const random = seededRandom(seed)
  const admin = await connect(system.url, { token: await system.adminToken() })
  const scene = await prepare(admin, seats)
  say(`${clients} clients come to ${LOBBIES} lobbies`)
  passengers.push(...(await gather(run, admin, scene)))

  say('Idle: one booking after another')
  const idleFrom = Date.now()
  const started = new Map<string, string>()
  for (let i = 0; i < IDLE_MESSAGES; i++) await bookOne(passengers[i * LOBBIES] as Passenger, 1, started)
  const idle = fanOutOf(passengers, { from: idleFrom, to: Date.now() })

  say('The race')
  const raceFrom = Date.now()
  const killing = killProcesses(run)
  await Promise.all(
    passengers.map(async (each) => {
      const group = random() < 0.2 ? 2 + Math.floor(random() * 3) : 1
      await sleep(random() * rushMs)
      await startBooking(each, group, started)
    }),
  )
  const kills = await killing.stop()
  say('All have asked; waiting until all are told')
  await allTold(passengers, started, say)
  const raceTo = Date.now()

  say('Those refused look for seats that came free')
  await sellTheRest(admin, scene, passengers, started, say)
  await allTold(passengers, started, say)
  say('Waiting until everyone has heard everything')
  await allHeard(run, scene)

  const books = await readBooks(run, admin, scene)
  const outcomes = passengers.flatMap((each) => each.outcomes)
  const race = fanOutOf(passengers, { from: raceFrom, to: raceTo })
  say('The same messages by a bare socket.io server')
  for (const each of passengers) each.close()
  const bare = { clients, rooms: LOBBIES }
  const perSecond = Math.max(1, Math.round((outcomes.length * 1000) / (raceTo - raceFrom)))
  const report: RaceReport = {
    seed,
    clients,
    seats,
    sold: books.trains.flatMap(({ bookings }) => bookings).reduce((sum, each) => sum + each.passengers, 0),
    bookings: {
      started: started.size,
      confirmed: outcomes.filter(({ name }) => name === 'booking:confirmed').length,
      rejected: outcomes.filter(({ name }) => name === 'booking:rejected').length,
    },
    tookMs: raceTo - raceFrom,
    kills,
    fanOut: {
      idle,
      race,
      bareIdle: await bareFanOut({ ...bare, messages: IDLE_MESSAGES, perSecond: 2 }),
      bareRace: await bareFanOut({ ...bare, messages: Math.min(outcomes.length, 1000), perSecond }),
    },
    violations: check(passengers, started, books),
  }
  admin.close()
  return report
}

interface Scene {
  trainIds: string[]
  lobbyIds: string[]
}

async function prepare(admin: Holdfast, seats: number): Promise<Scene> {
  const scene: Scene = { trainIds: [], lobbyIds: [] }
  for (let i = 0; i < LOBBIES; i++) {
    const train = await admin.call('createTrain', {
      route: `Race ${i}`,
      departureTime: '2031-06-01T08:00:00.000Z',
      arrivalTime: '2031-06-01T12:00:00.000Z',
      availableSeats: Math.floor(seats / LOBBIES),
      pricePerSeat: PRICE,
    })
    scene.trainIds.push(train.id)
    scene.lobbyIds.push((await admin.call('createLobby', { trainId: train.id })).id)
  }
  return scene
}

/** Makes the users, connects them, and waits until each is in its lobby. */
async function gather(run: Run, admin: Holdfast, { lobbyIds }: Scene): Promise<Passenger[]> {
  const { clients, system, signal, say } = run
  const made: Passenger[] = []
  const queue = Array.from({ length: clients }, (_, i) => i).values()
  await Promise.all(
    Array.from({ length: 24 }, async () => {
      for (const i of queue) {
        const userId = newId()
        await admin.call('createUser', { userId, name: `Passenger ${i}`, email: `${userId}@example.com` })
        await admin.call('depositFunds', { userId, amount: 10 * PRICE })
        const token = await signToken({ userId, role: 'user', tokenVersion: 0 }, system.config, new Date())
        const lobbyId = lobbyIds[i % LOBBIES] as string
        made[i] = createPassenger({ url: system.url, token, userId, lobbyId, signal })
      }
    }),
  )
  await until(say, 'are in their lobbies', made, (each) => each.joined())
  return made
}

async function startBooking(passenger: Passenger, group: number, started: Map<string, string>): Promise<string> {
  const bookingId = newId()
  started.set(bookingId, passenger.userId)
  const passengers = Array.from({ length: group }, (_, i) => ({ name: `Passenger ${i}` }))
  const result = await passenger.settle('startBooking', { bookingId, lobbyId: passenger.lobbyId, passengers })
  if (!result?.ok) throw new Error(`startBooking: ${JSON.stringify(result)}`)
  return bookingId
}

async function bookOne(passenger: Passenger, group: number, started: Map<string, string>): Promise<void> {
  const bookingId = await startBooking(passenger, group, started)
  while (!passenger.outcomes.some((each) => each.bookingId === bookingId)) await sleep(20)
  // The last member may hear it a little later than the buyer.
  await sleep(250)
}

/** Holds that recovery gave back after everybody was refused: exactly the seats there are get sold. */
async function sellTheRest(
  admin: Holdfast,
  { trainIds, lobbyIds }: Scene,
  passengers: readonly Passenger[],
  started: Map<string, string>,
  say: RaceOptions['say'],
): Promise<void> {
  for (const [i, trainId] of trainIds.entries()) {
    const refused = passengers.filter(
      (each) => each.lobbyId === lobbyIds[i] && !each.outcomes.some(({ name }) => name === 'booking:confirmed'),
    )
    // No cached answer is older than a second.
    await sleep(1000)
    const { availableSeats } = await admin.call('getTrain', { trainId })
    if (availableSeats > 0) say(`${availableSeats} seats of train ${i} are left`)
    for (const each of refused.slice(0, availableSeats)) await startBooking(each, 1, started)
  }
}

const allTold = (passengers: readonly Passenger[], started: Map<string, string>, say: RaceOptions['say']) => {
  const owned = groupBy([...started], ([, userId]) => userId)
  return until(say, 'are told', passengers, ({ userId, outcomes }) => {
    const told = new Set(outcomes.map((each) => each.bookingId))
    return (owned.get(userId) ?? []).every(([bookingId]) => told.has(bookingId))
  })
}

async function allHeard({ system, passengers, say }: Run, { lobbyIds }: Scene): Promise<void> {
  const books = await database(system, 'feeds')
  const heads = new Map<string, number>()
  for (const lobbyId of lobbyIds) {
    const [newest] = await books.entries
      .find({ feed: `lobby:${lobbyId}` })
      .sort({ seq: -1 })
      .limit(1)
      .toArray()
    heads.set(lobbyId, Number(newest?.['seq'] ?? 0))
  }
  await books.close()
  await until(say, 'have heard everything', passengers, ({ lobbyId, heard }) => {
    return (heard.at(-1)?.seq ?? 0) >= (heads.get(lobbyId) ?? 0)
  })
}

async function until(
  say: RaceOptions['say'],
  what: string,
  passengers: readonly Passenger[],
  done: (passenger: Passenger) => boolean,
): Promise<void> {
  const giveUpAt = Date.now() + GRACE_MS
  for (let i = 1; ; i++) {
    const ready = passengers.filter(done).length
    if (ready === passengers.length || Date.now() > giveUpAt) {
      say(`${ready} of ${passengers.length} ${what}`)
      return
    }
    if (i % 50 === 0) say(`${ready} of ${passengers.length} ${what}`)
    await sleep(200)
  }
}

async function database(system: Installation, domain: string) {
  const uri = system.config.mongodbUri(domain)
  const client = await new mongoose.mongo.MongoClient(uri, { readConcernLevel: 'majority' }).connect()
  const db = client.db(databaseName(uri))
  return { db, entries: db.collection('feedEntries'), close: () => client.close() }
}

async function readBooks({ system, passengers }: Run, admin: Holdfast, { trainIds }: Scene): Promise<Books> {
  const { db, entries, close } = await database(system, 'bookings')
  const feeds: Books['feeds'] = new Map()
  for (const lobbyId of new Set(passengers.map((each) => each.lobbyId))) {
    const found = await entries
      .find({ feed: `lobby:${lobbyId}` })
      .sort({ seq: 1 })
      .toArray()
    feeds.set(
      lobbyId,
      found.map(({ seq, name, data }) => {
        const { bookingId } = data as { bookingId?: string }
        return { seq: seq as number, name: name as string, ...(bookingId !== undefined && { bookingId }) }
      }),
    )
  }
  const trains = (await db.collection('trains').find().toArray())
    .filter(({ _id }) => trainIds.includes(String(_id)))
    .map(({ _id, seats, seatsLeft, bookings }) => ({
      id: String(_id),
      seats: seats as number,
      seatsLeft: seatsLeft as number,
      bookings: (bookings as { _id: unknown; passengers: number; seats?: number[] }[]).map((each) => ({
        id: String(each._id),
        passengers: each.passengers,
        seats: each.seats ?? [],
      })),
    }))
  const bookings: Books['bookings'] = new Map()
  for await (const { _id, userId, state, seats } of db.collection('bookings').find()) {
    bookings.set(String(_id), { userId: String(userId), state: String(state), seats: (seats as number[]) ?? [] })
  }
  await close()
  const audit = await admin.call('auditBooks', {}, { deadlineMs: 120_000 })
  return { feeds, trains, bookings, violations: audit.violations.map((each) => JSON.stringify(each)) }
}

/** SIGKILL, one process after another, the Redis too; PM2 brings back what it runs. */
function killProcesses({ system, redis, seed, killEveryMs, say }: Run): { stop(): Promise<Record<string, number>> } {
  const random = seededRandom(seed + 1)
  const processes = pm2Processes(system)
  const mortal = [...processes.names.filter((name) => MORTAL.test(name)), ...(redis ? ['redis'] : [])]
    .map((name) => ({ name, order: random() }))
    .sort((a, b) => a.order - b.order)
  const kills: Record<string, number> = {}
  const stop = new AbortController()
  const killing = (async () => {
    // Everything once before anything twice.
    for (let n = 0; killEveryMs > 0 && !stop.signal.aborted; n++) {
      await sleep(killEveryMs * (0.5 + random()), undefined, { signal: stop.signal }).catch(() => {})
      const { name } = mortal[n % mortal.length] as (typeof mortal)[number]
      if (stop.signal.aborted) break
      if (name === 'redis') redis?.restart()
      else {
        const pid = processes.pid(name)
        if (pid === undefined) continue
        process.kill(pid, 'SIGKILL')
      }
      const app = name.replace(/-\d+$/, '')
      kills[app] = (kills[app] ?? 0) + 1
      say(`killed ${name}`)
    }
  })()
  return {
    async stop() {
      stop.abort()
      await killing
      return kills
    },
  }
}

interface RaceRedis {
  url: string
  restart(): void
  kill(): void
}

/** Undefined where the machine has none. */
async function startRedis(): Promise<RaceRedis | undefined> {
  const binary = mongodSettings()
    .path.map((directory) => join(directory, 'redis-server'))
    .find((file) => existsSync(file))
  if (!binary) return undefined
  const [port] = (await freeTcpPorts(1)) as [number]
  const start = (): ChildProcess =>
    spawn(binary, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', '/'], { stdio: 'ignore' })
  let child = start()
  return {
    url: `redis://127.0.0.1:${port}`,
    restart() {
      child.kill('SIGKILL')
      setTimeout(() => (child = start()), 1000)
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
