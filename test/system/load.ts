import { randomBytes } from 'node:crypto'
import { io, type Socket } from 'socket.io-client'
import type { Config } from '../../config/index.js'
import type { Result } from '../../platform/contract/errors.js'
import { signToken } from '../../platform/runtime/tokens.js'
import { until } from '../../proof/support/until.js'

const HOUR_MS = 3_600_000
const FIRST_HOUR = Date.parse('2031-01-01T00:00:00.000Z')
const CARS = 25
const PRICE = 1000
/** More than any deadline but a sweep's: whoever has no answer by then never gets one. */
const ANSWER_TIMEOUT_MS = 30_000
const PAUSE_AFTER_FAILURE_MS = 100

/** Clients that book one car after the other without a pause, as a stock socket.io client does it. */
export interface Load {
  users: readonly string[]
  /** Minor units that each user began with. */
  funds: number
  /** Bookings that were answered as COMMITTED, with the user who pays them. */
  acknowledged: { bookingId: string; userId: string; cost: number }[]
  /** Every answer that was an error, and `no_answer`. A failed booking is sent again with its id until it has an end. */
  failures: string[]
  /** Resolves when so many further bookings of every client were acknowledged. */
  progress(count?: number): Promise<void>
  stop(): Promise<void>
}

/** Connects and asks; answers what the server acknowledged. */
export const connect = (url: string, token?: string): Socket =>
  io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 500,
    ...(token && { auth: { token } }),
  })

export const ask = async (
  socket: Socket,
  operation: string,
  input: object,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<Result<Record<string, unknown>>> =>
  (await socket.timeout(timeoutMs).emitWithAck(operation, input)) as Result<Record<string, unknown>>

/** The data of an answer that must be good. */
export async function demand(
  socket: Socket,
  operation: string,
  input: object,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<Record<string, unknown>> {
  const answer = await ask(socket, operation, input, timeoutMs)
  if (!answer.ok) throw new Error(`${operation}: ${JSON.stringify(answer.error)}`)
  return answer.data
}

const newId = (): string => randomBytes(12).toString('hex')

export async function startLoad(options: {
  url: string
  config: Config
  /** Of an admin. */
  token: string
  clients: number
}): Promise<Load> {
  const { url, config, token, clients } = options
  const funds = 1_000_000_000
  const admin = connect(url, token)
  const cars = Array.from({ length: CARS }, newId)
  const users = Array.from({ length: clients }, newId)
  for (const carId of cars) await demand(admin, 'createCar', { carId, name: carId, pricePerHour: PRICE })
  for (const userId of users) {
    await demand(admin, 'createUser', { userId, name: userId, email: `${userId}@example.com` })
    await demand(admin, 'depositFunds', { userId, amount: funds })
  }
  admin.disconnect()

  const hours = new Map(cars.map((carId) => [carId, 0]))
  const acknowledged: Load['acknowledged'] = []
  const failures: string[] = []
  let stopping = false

  const drive = async (userId: string, index: number): Promise<void> => {
    const socket = connect(url, await signToken({ userId, role: 'user', tokenVersion: 0 }, config, new Date()))
    const carId = cars[index % CARS] as string
    while (!stopping) {
      const hour = hours.get(carId) as number
      hours.set(carId, hour + 1)
      await book(socket, userId, {
        bookingId: newId(),
        carId,
        from: new Date(FIRST_HOUR + hour * HOUR_MS).toISOString(),
        to: new Date(FIRST_HOUR + (hour + 1) * HOUR_MS).toISOString(),
      })
    }
    socket.disconnect()
  }

  const book = async (
    socket: Socket,
    userId: string,
    input: { bookingId: string; [key: string]: string },
  ): Promise<void> => {
    for (;;) {
      const answer = await ask(socket, 'createBooking', input).catch(() => null)
      if (answer?.ok) return void acknowledged.push({ bookingId: input.bookingId, userId, cost: PRICE })
      failures.push(answer?.error.code ?? 'no_answer')
      if (answer && !answer.error.retryable) return
      await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_FAILURE_MS))
    }
  }

  const driving = Promise.all(users.map(drive))
  return {
    users,
    funds,
    acknowledged,
    failures,
    async progress(count = 1) {
      const before = acknowledged.length
      await until(
        () => {
          const since = new Map<string, number>()
          for (const { userId } of acknowledged.slice(before)) since.set(userId, (since.get(userId) ?? 0) + 1)
          return users.every((userId) => (since.get(userId) ?? 0) >= count)
        },
        { timeoutMs: 60_000, what: `every client to book ${count} more` },
      )
    },
    async stop() {
      stopping = true
      await driving
    },
  }
}
