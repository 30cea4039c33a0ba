import type { ExecutionContext } from 'ava'
import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'

/** A way to a mongod that can be shut: connections are reset, and new ones refused, as if the mongod had died. */
export interface Door {
  uri: string
  open(): Promise<void>
  shut(): Promise<void>
}

/** Shut at first. */
export async function createDoor(t: ExecutionContext, mongodUri: string): Promise<Door> {
  const mongod = new URL(mongodUri)
  const port = await freePort()
  const sockets = new Set<Socket>()
  const server = net.createServer((socket) => {
    const through = net.connect(Number(mongod.port), mongod.hostname)
    for (const each of [socket, through]) {
      sockets.add(each)
      each.on('error', () => {})
      each.on('close', () => [socket, through].forEach((other) => other.destroy()))
    }
    socket.pipe(through).pipe(socket)
  })
  const door: Door = {
    uri: `mongodb://127.0.0.1:${port}${mongod.pathname}?directConnection=true`,
    async open() {
      if (server.listening) return
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    async shut() {
      if (!server.listening) return
      for (const socket of sockets) socket.resetAndDestroy()
      server.close()
      await once(server, 'close')
    },
  }
  t.teardown(() => door.shut())
  return door
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
