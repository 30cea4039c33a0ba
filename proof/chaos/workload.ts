import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom, type Random } from '../support/numbers.js'
import type { Config } from '../../config/index.js'
import { signToken } from '../../platform/runtime/tokens.js'
import { connectClient, type ChaosClient } from './client.js'
import type { Answer, BookingClaim, Journal, TransferClaim } from './journal.js'
import type { Prices } from './rules.js'

/** Clients that book, cancel, deposit and withdraw all the time, and write down what they are told. */

export const PRICES: Prices = { perHour: 1000, perNight: 700 }
const CARS = 20
const ROOMS = 10
/** Of each room, so that several hold one night and no more. */
const UNITS = [2, 3, 5]
/** Rooms lie in these: days begin at different times, and in some have 23 or 25 hours. */
const TIME_ZONES = ['UTC', 'Europe/Berlin', 'Pacific/Auckland']
const HOUR_MS = 3_600_000
const FIRST_HOUR = Date.parse('2031-01-01T00:00:00.000Z')

/** How a sort of clients behaves. */
interface Manner {
  clients: number
  /** All of them act for one user. */
  oneUser?: boolean
  /** What each user begins with, minor units. */
  funds: number
  /** Periods begin within so many hours, of rooms within so many days: the fewer, the more collide. */
  hours: number
  days: number
  /** Share of bookings that are of rooms; the others are of cars. */
  rooms: number
  /** All book the first one. */
  hot?: boolean
  /** Share of committed bookings that are cancelled. */
  cancels: number
}

const MANNERS: Record<string, Manner> = {
  uniform: { clients: 14, funds: 1e12, hours: 4000, days: 300, rooms: 0.4, cancels: 0.25 },
  hotCar: { clients: 5, funds: 1e12, hours: 30, days: 0, rooms: 0, hot: true, cancels: 0.75 },
  hotRoom: { clients: 6, funds: 1e12, hours: 0, days: 20, rooms: 1, hot: true, cancels: 0.75 },
  busyUser: { clients: 4, oneUser: true, funds: 1e12, hours: 4000, days: 300, rooms: 0.4, cancels: 0.4 },
  poor: { clients: 7, funds: 2 * PRICES.perHour, hours: 4000, days: 300, rooms: 0.4, cancels: 0.5 },
}
const MOVERS = 3

/** Shares of bookings: sent twice at once; cancelled while under way; read back; sent again after the answer. */
const TWICE = 0.1
const CANCELLED_UNDER_WAY = 0.08
const READ_BACK = 0.15
const SENT_AGAIN = 0.05
/** Between two bookings of a client, on average. */
const THINK_MS = 150

type Asked = Pick<BookingClaim, 'kind' | 'thingId' | 'from' | 'to' | 'cost'>

export interface Workload {
  /** Ends what is under way; whatever has no definite answer within `graceMs` stays open. */
  stop(graceMs: number): Promise<void>
}

export async function startWorkload(options: {
  url: string
  config: Config
  /** Of an admin. */
  adminToken: string
  seed: number
  journal: Journal
  signal: AbortSignal
}): Promise<Workload> {
  const { url, config, adminToken, journal, seed } = options
  const giveUp = new AbortController()
  const signal = AbortSignal.any([options.signal, giveUp.signal])
  // Each client, and each that waits, listens to it.
  setMaxListeners(0, signal)
  const connect = (token: string): ChaosClient => connectClient({ url, token, journal, signal })
  let stopping = false
  const goOn = (): boolean => !stopping && !signal.aborted

  const admin = connect(adminToken)
  const cars = Array.from({ length: CARS }, newId)
  await Promise.all(cars.map((carId) => must(admin, 'createCar', { carId, name: carId, pricePerHour: PRICES.perHour })))
  const rooms = Array.from({ length: ROOMS }, newId)
  await Promise.all(
    rooms.map((roomId, i) =>
      must(admin, 'createRoom', {
        roomId,
        name: roomId,
        pricePerNight: PRICES.perNight,
        units: UNITS[i % UNITS.length],
        timeZone: TIME_ZONES[i % TIME_ZONES.length],
      }),
    ),
  )
  const drivers: (() => Promise<void>)[] = []
  const poor: string[] = []
  const rich: string[] = []
  for (const [name, manner] of Object.entries(MANNERS)) {
    const users = Array.from({ length: manner.oneUser ? 1 : manner.clients }, newId)
    await Promise.all(users.map((userId) => createUser(userId, manner.funds)))
    ;(name === 'poor' ? poor : rich).push(...users)
    for (let i = 0; i < manner.clients; i++) {
      const userId = users[i % users.length] as string
      const token = await signToken({ userId, role: 'user', tokenVersion: 0 }, config, new Date())
      const client = connect(token)
      const random = seededRandom(seed * 1000 + drivers.length)
      drivers.push(() => bookAgainAndAgain(client, userId, manner, random))
    }
  }
  for (let i = 0; i < MOVERS; i++) {
    const client = connect(adminToken)
    const random = seededRandom(seed * 1000 + drivers.length)
    drivers.push(() => moveMoney(client, random))
  }

  async function createUser(userId: string, funds: number): Promise<void> {
    await must(admin, 'createUser', { userId, name: userId, email: `${userId}@example.com` })
    await transfer(admin, { id: newId(), kind: 'deposit', userId, amount: funds })
  }

  async function must(client: ChaosClient, operation: string, input: object): Promise<void> {
    const answer = await client.settle(operation, input)
    if (!answer?.ok) throw new Error(`${operation} before the run: ${JSON.stringify(answer)}`)
  }

  async function bookAgainAndAgain(client: ChaosClient, userId: string, manner: Manner, random: Random): Promise<void> {
    while (goOn()) {
      const asked = random() < manner.rooms ? aRoom(manner, random) : aCar(manner, random)
      const claim: BookingClaim = { bookingId: newId(), userId, ...asked, cancels: [] }
      journal.bookings.set(claim.bookingId, claim)
      await book(client, claim, manner, random)
      await think(random)
    }
  }

  function aCar(manner: Manner, random: Random): Asked {
    const hour = Math.floor(random() * manner.hours)
    const hours = 1 + Math.floor(random() * 3)
    const cost = hours * PRICES.perHour
    return { kind: 'car', thingId: oneOf(cars, manner, random), from: at(hour), to: at(hour + hours), cost }
  }

  /** From noon of UTC on, which is another day in some zones: so many days later is as many nights in each. */
  function aRoom(manner: Manner, random: Random): Asked {
    const noon = 24 * Math.floor(random() * manner.days) + 12
    const nights = 1 + Math.floor(random() * 3)
    const cost = nights * PRICES.perNight
    return { kind: 'room', thingId: oneOf(rooms, manner, random), from: at(noon), to: at(noon + 24 * nights), cost }
  }

  const oneOf = (things: string[], { hot }: Manner, random: Random): string =>
    things[hot ? 0 : Math.floor(random() * things.length)] as string

  async function book(client: ChaosClient, claim: BookingClaim, manner: Manner, random: Random): Promise<void> {
    const { bookingId, kind, thingId, from, to } = claim
    const input = { bookingId, [`${kind}Id`]: thingId, from, to }
    const create = (repeated?: 'repeated') => client.settle('createBooking', input, repeated)
    const creating = [create(), ...(random() < TWICE ? [create('repeated')] : [])]
    const cancelling =
      random() < CANCELLED_UNDER_WAY ? sleep(random() * 150).then(() => cancel(client, claim)) : undefined
    const [answer, again] = await Promise.all(creating)
    await cancelling
    if (!answer) return
    claim.answer = answer
    if (answer.ok) checkBooked(claim, answer.data, ['COMMITTED'])
    if (again) checkSame(bookingId, answer, again)

    if (answer.ok && random() < READ_BACK) {
      const read = await client.settle('getBooking', { bookingId })
      if (read && !read.ok) complain('acknowledged_is_found', bookingId, `getBooking: ${read.code}`)
      // A failover may take a COMMITTED, never the decision beneath it; at the end it must be COMMITTED again.
      if (read?.ok) checkBooked(claim, read.data, ['COMMITTED', 'APPLIED'])
    }
    if (random() < SENT_AGAIN) {
      const repeated = await create('repeated')
      if (repeated) checkSame(bookingId, answer, repeated)
    }
    if (answer.ok && random() < manner.cancels) {
      await Promise.all([cancel(client, claim), ...(random() < TWICE ? [cancel(client, claim, 'repeated')] : [])])
    }
  }

  async function cancel(client: ChaosClient, claim: BookingClaim, repeated?: 'repeated'): Promise<void> {
    const sent: BookingClaim['cancels'][number] = {}
    claim.cancels.push(sent)
    const answer = await client.settle('cancelBooking', { bookingId: claim.bookingId }, repeated)
    if (answer) sent.answer = answer
  }

  async function moveMoney(client: ChaosClient, random: Random): Promise<void> {
    while (goOn()) {
      const users = random() < 0.7 ? poor : rich
      const claim: TransferClaim = {
        id: newId(),
        kind: random() < 0.6 ? 'deposit' : 'withdrawal',
        userId: users[Math.floor(random() * users.length)] as string,
        amount: 1 + Math.floor(random() * 2 * PRICES.perHour),
      }
      const moving = [transfer(client, claim), ...(random() < TWICE ? [transfer(client, claim, 'repeated')] : [])]
      const [answer, again] = await Promise.all(moving)
      if (answer && again) checkSame(claim.id, answer, again)
      await think(random)
    }
  }

  async function transfer(
    client: ChaosClient,
    claim: TransferClaim,
    repeated?: 'repeated',
  ): Promise<Answer | undefined> {
    const { id, kind, userId, amount } = claim
    journal.transfers.set(id, claim)
    const answer = await (kind === 'deposit'
      ? client.settle('depositFunds', { depositId: id, userId, amount }, repeated)
      : client.settle('withdrawFunds', { withdrawalId: id, userId, amount }, repeated))
    if (answer) claim.answer = answer
    return answer
  }

  function checkBooked({ bookingId, cost }: BookingClaim, data: Record<string, unknown>, states: string[]): void {
    if (data['id'] !== bookingId || !states.includes(data['state'] as string) || data['cost'] !== cost) {
      complain('acknowledged_is_booked', bookingId, JSON.stringify(data))
    }
  }

  /** The same request again has the first outcome, a refusal too. */
  function checkSame(id: string, first: Answer, again: Answer): void {
    const outcome = (answer: Answer): string => (answer.ok ? 'done' : answer.code)
    if (outcome(first) !== outcome(again)) {
      complain('same_request_same_outcome', id, `first ${outcome(first)}, then ${outcome(again)}`)
    }
  }

  const complain = (rule: string, id: string, detail: string): void =>
    void journal.violations.push({ rule, id, detail })

  const think = (random: Random): Promise<void> => sleep(2 * random() * THINK_MS, undefined, { signal }).catch(() => {})

  const driving = Promise.all(drivers.map((drive) => drive()))
  // stop() tells.
  driving.catch(() => {})
  return {
    async stop(graceMs) {
      stopping = true
      const timer = setTimeout(() => giveUp.abort(), graceMs)
      try {
        await driving
      } finally {
        clearTimeout(timer)
        giveUp.abort()
      }
    },
  }
}

const at = (hour: number): string => new Date(FIRST_HOUR + hour * HOUR_MS).toISOString()

/** Random, not of the seed: ids decide nothing, and runs on one machine must not share them. */
const newId = (): string => randomBytes(12).toString('hex')
