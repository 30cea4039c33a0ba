import { io, type Socket } from 'socket.io-client'

const AT_A_TIME = 32
const ANSWER_WITHIN_MS = 60_000

/** So many clients, each on a connection of its own; `authOf` says who the n-th is. */
export async function connectAll(
  url: string,
  count: number,
  authOf: (n: number) => Promise<Record<string, unknown>> | Record<string, unknown>,
): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let first = 0; first < count; first += AT_A_TIME) {
    const group = Array.from({ length: Math.min(AT_A_TIME, count - first) }, async (_, i) =>
      connect(url, await authOf(first + i)),
    )
    sockets.push(...(await Promise.all(group)))
  }
  return sockets
}

function connect(url: string, auth: Record<string, unknown>): Promise<Socket> {
  const socket = io(url, { transports: ['websocket'], forceNew: true, auth })
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket))
    socket.once('connect_error', (error) => {
      // A refused handshake; socket.io comes again by itself when it was the network.
      if (!socket.active) reject(error)
    })
  })
}

/** One request, answered. Rejects when no answer comes. */
export const ask = (socket: Socket, operation: string, input: object): Promise<unknown> =>
  socket.timeout(ANSWER_WITHIN_MS).emitWithAck(operation, input)
