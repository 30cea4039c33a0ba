import { connect, signIn, type CallError, type Entry, type Gap, type Holdfast } from '../../client/src/index.js'
import { seededRandom, type Random } from '../support/numbers.js'
import type { Asked, Outcome, Posted } from './verdict.js'

/** A user with a client, and all that the client was told. */
export interface Sailor {
  userId: string
  carId: string
  lobbyId: string
  holdfast: Holdfast
  random: Random
  asked: Asked[]
  posted: Posted[]
  /** In the order in which the loops gave them. */
  news: (Entry | Gap)[]
  lobby: (Entry | Gap)[]
  /** How often it came online. */
  connections: number
}

export interface Scene {
  userIds: string[]
  /** One for each user, and behind them the wanted ones that all may book. */
  carIds: string[]
  lobbyIds: string[]
}

export const MONEY = 1_000_000_000
const PASSWORD = 'correct horse battery'
const PRICE = 100
const WANTED_CARS = 10
const SAILORS_A_LOBBY = 20
/** More at a time would wait for each other's password hashes. */
const AT_A_TIME = 8
/** Longer than the network is away. */
export const DEADLINE_MS = 90_000
const HOUR_MS = 3_600_000
const FIRST_MS = Date.parse('2031-01-01T00:00:00.000Z')
/** Of the bookings, those of a car that others want too. */
const WANTED_SHARE = 0.2
const WANTED_HOURS = 500
const POST_EVERY = 10

const emailOf = (i: number): string => `sailor-${i}@example.com`

/** Users with money, a car each, cars that all want, and lobbies. */
export async function setScene(url: string, token: string, clients: number): Promise<Scene> {
  const admin = await connect(url, { token })
  try {
    const userIds = await inTurns(clients, async (i) => {
      const { id: userId } = await admin.createUser({ name: `sailor ${i}`, email: emailOf(i), password: PASSWORD })
      await admin.depositFunds({ userId, amount: MONEY })
      return userId
    })
    const carIds = await inTurns(clients + WANTED_CARS, async (i) => {
      return (await admin.createCar({ name: `car ${i}`, pricePerHour: PRICE })).id
    })
    const { id: trainId } = await admin.createTrain({
      route: 'Port to port',
      departureTime: '2034-01-01T00:00:00.000Z',
      arrivalTime: '2034-01-01T09:00:00.000Z',
      availableSeats: 10,
      pricePerSeat: 0,
    })
    const lobbies = Math.ceil(clients / SAILORS_A_LOBBY)
    const lobbyIds = await inTurns(lobbies, async () => (await admin.createLobby({ trainId })).id)
    return { userIds, carIds, lobbyIds }
  } finally {
    admin.close()
  }
}

/** All sign in and follow their news and a lobby, from the beginning. */
export const muster = (url: string, { userIds, carIds, lobbyIds }: Scene, seed: number): Promise<Sailor[]> =>
  inTurns(userIds.length, async (i) => {
    const { holdfast, user } = await signIn(url, { email: emailOf(i), password: PASSWORD }, { deadlineMs: DEADLINE_MS })
    const sailor: Sailor = {
      userId: user.id,
      carId: String(carIds[i]),
      lobbyId: String(lobbyIds[i % lobbyIds.length]),
      holdfast,
      random: seededRandom(seed * 1000 + i),
      ...{ asked: [], posted: [], news: [], lobby: [], connections: 0 },
    }
    holdfast.onStatus(({ state }) => {
      if (state === 'online') sailor.connections++
    })
    const [news, lobby] = [holdfast.news({ lastSeq: 0 }), holdfast.lobby(sailor.lobbyId, { lastSeq: 0 })]
    void keep(news, sailor.news)
    void keep(lobby, sailor.lobby)
    await Promise.all([news.following, lobby.following])
    return sailor
  })

/** Until the client is closed; where the loop fails before, what it missed tells. */
async function keep(following: AsyncIterable<Entry | Gap>, kept: (Entry | Gap)[]): Promise<void> {
  try {
    for await (const entry of following) kept.push(entry)
  } catch {
    // See above.
  }
}

/** Books so often, spread over the time, and says so now and then; one booking after the other, late ones at once. */
export async function sail(
  sailor: Sailor,
  { wanted, bookings, forMs, signal }: { wanted: string[]; bookings: number; forMs: number; signal: AbortSignal },
): Promise<void> {
  const { holdfast, random, userId, lobbyId } = sailor
  const startedAt = performance.now()
  for (let i = 0; i < bookings; i++) {
    const dueMs = ((i + random()) * forMs) / bookings
    const isWanted = random() < WANTED_SHARE
    const carId = isWanted ? String(wanted[Math.floor(random() * wanted.length)]) : sailor.carId
    const fromMs = FIRST_MS + (isWanted ? Math.floor(random() * WANTED_HOURS) : i) * HOUR_MS
    await pauseUntil(startedAt + dueMs)
    if (signal.aborted) return
    const [from, to] = [new Date(fromMs).toISOString(), new Date(fromMs + HOUR_MS).toISOString()]
    sailor.asked.push({ userId, carId, from, ...(await outcomeOf(holdfast.createBooking({ carId, from, to }))) })
    if (i % POST_EVERY !== 0) continue
    const text = `${userId} ${i}`
    const said = await outcomeOf(holdfast.postToLobby({ lobbyId, text }).then(({ messageId }) => ({ id: messageId })))
    sailor.posted.push({ lobbyId, text, ...said })
  }
}

/** Without an answer the outcome is unknown: it counts as failed. */
async function outcomeOf(call: Promise<{ id: string }>): Promise<Outcome> {
  try {
    const { id } = await call
    return { outcome: 'acknowledged', id }
  } catch (error) {
    const { code = String(error), retryable } = error as CallError
    return { outcome: retryable || code === 'deadline_exceeded' ? 'failed' : 'refused', code }
  }
}

async function inTurns<T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  let next = 0
  const turn = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) made[i] = await make(i)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, turn))
  return made
}

const pauseUntil = (atMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - performance.now())))
