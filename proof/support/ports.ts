import dgram from 'node:dgram'
import { once } from 'node:events'

/** A UDP port that nobody uses: a system's discovery, away from all others on this machine. */
export async function freeUdpPort(): Promise<number> {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}
