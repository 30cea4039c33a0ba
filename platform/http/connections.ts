import { createServer, type RequestListener, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { createBucket, type Bucket } from './bucket.js'
import { descriptorLimit } from './descriptors.js'
import { network } from './network.js'
import type { Repeats } from './repeats.js'

/** However many descriptors there are: each connection costs memory too. */
const MAX_CONNECTIONS = 10_000
/** What connections may have of the descriptors. The rest is for databases, other processes and files. */
const SHARE_OF_DESCRIPTORS = 0.5
const LOOK_EVERY_MS = 1000
const MAX_ADDRESSES = 20_000

/** How long a peer may take to say what it wants. Looked after every second. */
const TIMEOUTS = {
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
}

/** The connections of one HTTP server, from the moment they are accepted. */
export interface Connections {
  server: Server
  /** How many have come in since the start, refused ones too. */
  arrived(): number
  /** It has said who it is, and has limits of its own now: it makes no room for others. */
  keep(socket: Socket): void
}

interface Address {
  arrivals: Bucket
  /** Oldest first. */
  waiting: Set<Socket>
}

/**
 * An HTTP server whose connections are counted when they are accepted, before they have cost anything:
 *
 * - all together have half of the process's file descriptors, so that there is always one to serve the next with;
 * - an address makes so many a second, and has so many that have not said yet who they are;
 * - where there is no room the one that has waited longest is cut: an honest client waits for milliseconds, whoever
 *   only holds connections waits for ever. What is being answered, or is kept, is never cut; if nothing else is there,
 *   the new one is.
 *
 * Not `server.maxConnections`: in a cluster a worker that refuses by it is offered the same connection again, without
 * end. All but the total follow from the rate, and 0 turns them off.
 */
export function createGuardedServer(
  listener: RequestListener,
  options: { ratePerSecond: number; repeats: Repeats; nowMs?: () => number; limit?: () => number },
): Connections {
  const { ratePerSecond, repeats, nowMs = () => performance.now(), limit = descriptorLimit } = options
  const maxWaiting = ratePerSecond === 0 ? Infinity : 5 * ratePerSecond
  const waiting = new Set<Socket>()
  const addresses = new Map<string, Address>()
  const owners = new WeakMap<Socket, Address>()
  let open = 0
  let arrived = 0
  let mostOpen = { connections: 0, untilMs: 0 }

  const server = createServer(TIMEOUTS, listener)
  server.prependListener('connection', accept)
  server.on('request', ({ socket }, response) => {
    keep(socket)
    response.once('close', () => wait(socket))
  })

  function accept(socket: Socket): void {
    arrived++
    const name = network(socket.remoteAddress ?? '')
    const address = addressOf(name)
    if (ratePerSecond > 0 && address.arrivals.take(nowMs()) > 0) return refuse(socket, 'connections too fast', name)
    if (address.waiting.size >= maxWaiting) cutOldest(address.waiting, 'connections that wait', name)
    if (open >= most() && !cutOldest(waiting, 'connections', name)) return refuse(socket, 'connections', name)
    open++
    owners.set(socket, address)
    wait(socket)
    socket.once('close', () => {
      open--
      keep(socket)
      if (address.waiting.size === 0 && addresses.size > MAX_ADDRESSES) addresses.delete(name)
    })
  }

  function addressOf(name: string): Address {
    let address = addresses.get(name)
    if (!address) {
      address = { arrivals: createBucket(5 * ratePerSecond, 10 * ratePerSecond), waiting: new Set() }
      addresses.set(name, address)
    }
    return address
  }

  function refuse(socket: Socket, kind: string, name: string): void {
    repeats.note(`too many ${kind}`, name)
    socket.resetAndDestroy()
  }

  /** Answers whether there was one. */
  function cutOldest(among: Set<Socket>, kind: string, name: string): boolean {
    const [oldest] = among
    if (!oldest) return false
    refuse(oldest, kind, name)
    // Its close comes later, and the next one to be cut must be another.
    keep(oldest)
    return true
  }

  function keep(socket: Socket): void {
    waiting.delete(socket)
    owners.get(socket)?.waiting.delete(socket)
  }

  function wait(socket: Socket): void {
    if (socket.destroyed) return
    waiting.add(socket)
    owners.get(socket)?.waiting.add(socket)
  }

  function most(): number {
    if (nowMs() >= mostOpen.untilMs) {
      const connections = Math.min(MAX_CONNECTIONS, Math.floor(limit() * SHARE_OF_DESCRIPTORS))
      mostOpen = { connections, untilMs: nowMs() + LOOK_EVERY_MS }
    }
    return mostOpen.connections
  }

  return { server, arrived: () => arrived, keep }
}
