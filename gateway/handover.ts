import type { Socket } from 'socket.io'

/** engine.io's side of a socket, as far as it is needed here; neither method is in its published types. */
interface Connection {
  id: string
  readyState: string
  transport: { writable: boolean; once(event: 'ready', listener: () => void): unknown }
  sendPacket(type: 'open', data: string): void
  flush(): void
}

/**
 * Sends the last answers of a connection and makes the client reconnect, so that no request falls between.
 *
 * Closing the connection is not enough. Whatever a client sends while the close is on its way is lost: it can no longer
 * be answered, and its client reports it as failed. A client that works in a loop sends its next request the moment it
 * has an answer, so it would hit that gap nearly every time.
 *
 * So the client is told first, in the same write as its last answers. An engine.io handshake packet with a heartbeat
 * that has already expired makes socket.io's stock client treat the connection as dead from the next emit on: it keeps
 * that request in its buffer, closes, reconnects by its own rules (to another worker), and sends it there. Requests that
 * it got its answers for were answered, the others were never sent. A client that does not know the packet ignores it
 * and is closed like any other a moment later.
 */
export function handOver(socket: Socket, lastAnswers: readonly (() => void)[]): void {
  const connection = socket.conn as unknown as Connection
  if (connection.readyState !== 'open') return
  const { transport } = connection
  // An earlier write has not gone out yet: what is queued now would be split in two.
  if (!transport.writable) return void transport.once('ready', () => handOver(socket, lastAnswers))
  const tcp = socket.request.socket
  tcp.cork()
  transport.writable = false
  connection.sendPacket(
    'open',
    JSON.stringify({ sid: connection.id, upgrades: [], pingInterval: -1, pingTimeout: 0, maxPayload: 0 }),
  )
  for (const answer of lastAnswers) answer()
  transport.writable = true
  connection.flush()
  tcp.uncork()
}
