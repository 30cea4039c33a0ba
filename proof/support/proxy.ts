import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const LOOPBACK = '127.0.0.1'

/**
 * What the driver of the chaos run's own connections calls itself. Those, and the ones between members, always get
 * through: the proxies stand for the network between functions and MongoDB.
 */
export const OWN_APP_NAME = 'holdfast-chaos'
const EXEMPT = [OWN_APP_NAME, 'NetworkInterfaceTL', 'MongoDB Internal Client']

/** What becomes of the messages of a connection at present. */
export interface Disturbance {
  /** Added to each message, both ways. */
  delayMs: number
  /** Share of the server's messages that are lost, their connection with them. */
  dropReplies: number
}

export const UNDISTURBED: Disturbance = { delayMs: 0, dropReplies: 0 }

/** One member of the replica set, as functions see it. */
export interface Proxy {
  port: number
  disturb(disturbance: Disturbance): void
  /** Breaks all connections of functions; answers how many. */
  reset(): number
  close(): Promise<void>
}

export async function startProxy(options: {
  targetPort: number
  /** Default: a free one. */
  port?: number
  random: () => number
}): Promise<Proxy> {
  const { targetPort, random } = options
  const sockets = new Set<Socket>()
  /** Those of functions, on the client's side. */
  const disturbed = new Set<Socket>()
  let current = UNDISTURBED

  function pair(client: Socket): void {
    const server = connect({ host: LOOPBACK, port: targetPort, noDelay: true })
    const both = [client, server]
    for (const socket of both) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        disturbed.delete(client)
        for (const each of both) each.destroy()
      })
    }
    client.once('data', (hello) => {
      server.write(hello)
      if (EXEMPT.some((name) => hello.includes(name))) {
        client.pipe(server)
        server.pipe(client)
        return
      }
      disturbed.add(client)
      forward(client, server, false).catch(() => {})
      forward(server, client, true).catch(() => {})
    })
  }

  /** One message after the other, so that a delay never reorders them. */
  async function forward(from: Socket, to: Socket, replies: boolean): Promise<void> {
    for await (const chunk of from) {
      if (current.delayMs > 0) await sleep(current.delayMs * (0.5 + random()))
      if (replies && random() < current.dropReplies) {
        // The server has done what was asked; whoever asked learns nothing, first from silence, then from the break.
        await sleep(random() * 1000)
        to.resetAndDestroy()
        return
      }
      if (!to.write(chunk as Buffer)) await once(to, 'drain')
    }
    to.end()
  }

  const listener = createServer({ noDelay: true }, pair)
  listener.listen(options.port ?? 0, LOOPBACK)
  await once(listener, 'listening')

  return {
    port: (listener.address() as AddressInfo).port,
    disturb: (disturbance) => {
      current = disturbance
    },
    reset() {
      const broken = [...disturbed]
      for (const client of broken) client.resetAndDestroy()
      return broken.length
    },
    async close() {
      listener.close()
      for (const socket of sockets) socket.destroy()
      await once(listener, 'close')
    },
  }
}
