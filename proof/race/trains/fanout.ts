import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import { percentile } from '../../support/numbers.js'
import { groupBy } from './groupBy.js'
import type { Passenger } from './passenger.js'

/** From the moment of a commit, or of an emit, to the message at the last member of the room; ms. */
export interface FanOut {
  messages: number
  members: number
  p50Ms: number
  p99Ms: number
}

const summary = (latenciesMs: number[], members: number): FanOut => ({
  messages: latenciesMs.length,
  members,
  p50Ms: percentile(
    latenciesMs.toSorted((a, b) => a - b),
    0.5,
  ),
  p99Ms: percentile(
    latenciesMs.toSorted((a, b) => a - b),
    0.99,
  ),
})

/** Of the confirmations that happened in a span of time: those that every member of the lobby heard on a live connection. */
export function fanOutOf(passengers: readonly Passenger[], span: { from: number; to: number }): FanOut {
  const lobbies = groupBy(passengers, ({ lobbyId }) => lobbyId)
  const latencies: number[] = []
  for (const members of lobbies.values()) {
    const last = new Map<number, { happenedAt: number; heardAt: number; count: number }>()
    for (const { heard } of members) {
      for (const { name, seq, happenedAt, heardAt } of heard) {
        if (name !== 'booking:confirmed' || happenedAt < span.from || happenedAt > span.to) continue
        const known = last.get(seq)
        last.set(seq, {
          happenedAt,
          heardAt: Math.max(known?.heardAt ?? 0, heardAt),
          count: (known?.count ?? 0) + 1,
        })
      }
    }
    for (const { happenedAt, heardAt, count } of last.values()) {
      if (count === members.length) latencies.push(heardAt - happenedAt)
    }
  }
  return summary(latencies, Math.max(...[...lobbies.values()].map((each) => each.length)))
}

/** The same rooms and messages on a socket.io server that does nothing else: `perSecond` messages, one room after another. */
export async function bareFanOut(options: {
  clients: number
  rooms: number
  messages: number
  perSecond: number
}): Promise<FanOut> {
  const { clients, rooms, messages, perSecond } = options
  const server = fork(new URL('./bareServer.ts', import.meta.url), { execArgv: ['--import=tsx'] })
  const [port] = (await once(server, 'message')) as [number]
  const sockets: Socket[] = []
  const heard = new Map<number, { sentAt: number; count: number }>()
  const latencies: number[] = []
  const membersOfRoom = Math.floor(clients / rooms)
  try {
    for (let i = 0; i < membersOfRoom * rooms; i++) {
      const socket = io(`http://127.0.0.1:${port}`, {
        transports: ['websocket'],
        forceNew: true,
        auth: { room: i % rooms },
      })
      socket.on('booking:confirmed', ({ seq, sentAt }: { seq: number; sentAt: number }) => {
        const known = heard.get(seq) ?? { sentAt, count: 0 }
        known.count++
        heard.set(seq, known)
        if (known.count === membersOfRoom) latencies.push(Date.now() - sentAt)
      })
      sockets.push(socket)
      if (i % 50 === 49) await new Promise<void>((resolve) => socket.once('connect', resolve))
    }
    while (sockets.some(({ connected }) => !connected)) await sleep(20)
    server.send({ messages, perSecond, rooms })
    while (latencies.length < messages) await sleep(20)
    return summary(latencies, membersOfRoom)
  } finally {
    for (const socket of sockets) socket.disconnect()
    server.kill()
  }
}
