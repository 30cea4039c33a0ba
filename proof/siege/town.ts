import { io, type Socket } from 'socket.io-client'
import { loadConfig } from '../../config/index.js'
import { signToken } from '../../platform/runtime/tokens.js'
import type { Installation } from '../support/installation.js'
import type { Account, Answer, Target } from './arms.js'
import type { HonestPerson } from './honest.js'

/** Who lives in a system under siege. */
export interface Town {
  people: HonestPerson[]
  crews: Map<string, Account[]>
  target: Target
}

const PEOPLE = 4
const CARS_EACH = 10
const CREW = 3
const PASSWORD = 'correct horse battery'
const MONEY = 1_000_000_000

/** Honest people with money and cars to book, and for each attack three plain accounts without either. */
export async function settle(system: Installation, attacks: readonly string[]): Promise<Town> {
  const admin = io(system.url, { transports: ['websocket'], auth: { token: await system.adminToken() } })
  const make = async (operation: string, input: object): Promise<string> =>
    String((await must(admin, operation, input))['id'])
  // Their secret is made at the first start.
  const config = loadConfig(system.env)
  const account = async (name: string, password?: string): Promise<Account> => {
    const userId = await make('createUser', { name, email: `${name}@example.com`, ...(password && { password }) })
    return { userId, token: await signToken({ userId, role: 'user', tokenVersion: 0 }, config, new Date()) }
  }
  const live = async (i: number): Promise<{ each: Account; person: HonestPerson }> => {
    const each = await account(`honest-${i}`, PASSWORD)
    await must(admin, 'depositFunds', { userId: each.userId, amount: MONEY })
    const carIds = await many(CARS_EACH, (j) => make('createCar', { name: `car ${i} ${j}`, pricePerHour: 1 }))
    return { each, person: { token: each.token, carIds } }
  }
  try {
    const honest = await many(PEOPLE, live)
    const people = honest.map(({ person }) => person)
    const crews = new Map<string, Account[]>()
    for (const attack of attacks) crews.set(attack, await many(CREW, (i) => account(`${attack}-${i}`)))
    const trainId = await make('createTrain', {
      ...{ route: 'A to B', departureTime: '2034-01-01T00:00:00.000Z', arrivalTime: '2034-01-01T09:00:00.000Z' },
      ...{ availableSeats: 1000, pricePerSeat: 0 },
    })
    const lobbyId = await make('createLobby', { trainId })
    const removed = await account('removed')
    await must(admin, 'removeFromLobby', { lobbyId, userId: removed.userId })
    const target: Target = {
      url: system.url,
      webhookPort: config.webhooks.port,
      jobsPort: config.jobsPort,
      carIds: people.flatMap(({ carIds }) => carIds),
      userIds: honest.map(({ each }) => each.userId),
      freeCarId: await make('createCar', { name: 'free', pricePerHour: 0 }),
      lobbyId,
      removed,
    }
    return { people, crews, target }
  } finally {
    admin.disconnect()
  }
}

const many = <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => make(i)))

const TIMEOUT_MS = 15_000
/** An admin has limits too. */
const TRIES = 20

async function must(socket: Socket, operation: string, input: object): Promise<Record<string, unknown>> {
  for (let tries = 1; ; tries++) {
    const answer = (await socket.timeout(TIMEOUT_MS).emitWithAck(operation, input)) as Answer & {
      error?: { details?: { retryAfterMs?: number } }
    }
    if (answer.ok) return answer.data ?? {}
    const { code, details } = answer.error ?? {}
    if (code !== 'rate_limited' || tries === TRIES) throw new Error(`${operation}: ${JSON.stringify(answer)}`)
    await new Promise((resolve) => setTimeout(resolve, details?.retryAfterMs ?? 100))
  }
}
