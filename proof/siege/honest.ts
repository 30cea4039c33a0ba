import { setTimeout as sleep } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import { Seen } from './verdict.js'

export interface HonestClients {
  /** What is asked from now on is noted there. */
  watch(): Seen
  /** Ends when everything asked has been answered. */
  stop(): Promise<void>
}

export interface HonestPerson {
  token: string
  /** Nobody else books them, unless to annoy. */
  carIds: readonly string[]
}

const THINK_MS = 30
const ARRIVE_EVERY_MS = 200
const TIMEOUT_MS = 15_000

/** Clients that book, look and come anew, one request after the other each, and note how long they waited. */
export function startHonestClients(url: string, people: readonly HonestPerson[]): HonestClients {
  let seen = new Seen()
  let stopped = false

  async function timed(work: () => Promise<string>): Promise<void> {
    const asked = seen
    const startedAtMs = performance.now()
    const outcome = await work().catch((error: Error) => error.message)
    asked.note(performance.now() - startedAtMs, outcome)
  }

  async function live({ token, carIds }: HonestPerson): Promise<void> {
    const socket = open({ token })
    for (let n = 0; !stopped; n++) {
      const carId = carIds[n % carIds.length]
      const from = Date.UTC(2033, 0, 1) + Math.floor(n / carIds.length) * 3_600_000
      const period = { from: new Date(from).toISOString(), to: new Date(from + 3_600_000).toISOString() }
      await timed(() => ask(socket, 'createBooking', { carId, ...period }))
      await timed(() => ask(socket, 'getCar', { carId }))
      await timed(() => ask(socket, 'listCars', { limit: 10 }))
      await sleep(THINK_MS)
    }
    socket.disconnect()
  }

  /** New clients get in, too. */
  async function arrive(): Promise<void> {
    while (!stopped) {
      await timed(async () => {
        const socket = open({})
        try {
          return await ask(socket, 'getStatus', {})
        } finally {
          socket.disconnect()
        }
      })
      await sleep(ARRIVE_EVERY_MS)
    }
  }

  const open = (auth: object): Socket =>
    io(url, { transports: ['websocket'], forceNew: true, reconnectionDelay: 50, auth })
  const lives = [...people.map(live), arrive()]
  return {
    watch: () => (seen = new Seen()),
    async stop() {
      stopped = true
      await Promise.all(lives)
    },
  }
}

async function ask(socket: Socket, operation: string, input: object): Promise<string> {
  const answer = (await socket.timeout(TIMEOUT_MS).emitWithAck(operation, input)) as {
    ok: boolean
    error?: { code: string }
  }
  return answer.ok ? 'ok' : `${operation}: ${answer.error?.code}`
}
