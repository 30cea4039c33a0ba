import { setTimeout as sleep } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import { percentile } from '../support/numbers.js'

/** What honest clients saw in a while. */
export interface Experience {
  requests: number
  failed: Record<string, number>
  p50Ms: number
  p99Ms: number
}

export interface HonestClients {
  /** What they saw since the last time that this was asked. */
  take(): Experience
  stop(): void
}

const THINK_MS = 20
const TIMEOUT_MS = 15_000

/** Clients that book, look and come anew, one request after the other each, and note how long they waited. */
export function startHonestClients(url: string, tokens: readonly string[], carIds: readonly string[]): HonestClients {
  let waits: number[] = []
  let failed: Record<string, number> = {}
  let stopped = false

  async function timed(work: () => Promise<string>): Promise<void> {
    const startedAtMs = performance.now()
    const outcome = await work().catch((error: Error) => error.message)
    if (stopped) return
    waits.push(performance.now() - startedAtMs)
    if (outcome !== 'ok') failed[outcome] = (failed[outcome] ?? 0) + 1
  }

  async function live(n: number): Promise<void> {
    const socket = open({ token: tokens[n] })
    let hour = n * 100_000
    while (!stopped) {
      hour++
      const from = Date.UTC(2033, 0, 1) + (hour % 100_000) * 3_600_000
      const period = { from: new Date(from).toISOString(), to: new Date(from + 3_600_000).toISOString() }
      const carId = carIds[n]
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
      await sleep(200)
    }
  }

  const open = (auth: object): Socket =>
    io(url, { transports: ['websocket'], forceNew: true, reconnectionDelay: 50, auth })
  for (const n of tokens.keys()) void live(n)
  void arrive()
  return {
    take() {
      const sorted = waits.sort((a, b) => a - b)
      const seen = { requests: waits.length, failed, p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) }
      waits = []
      failed = {}
      return seen
    },
    stop: () => void (stopped = true),
  }
}

async function ask(socket: Socket, operation: string, input: object): Promise<string> {
  const answer = (await socket.timeout(TIMEOUT_MS).emitWithAck(operation, input)) as {
    ok: boolean
    error?: { code: string }
  }
  return answer.ok ? 'ok' : String(answer.error?.code)
}
