import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server } from 'socket.io'
import { Refusal } from '../platform/contract/errors.js'

const SENTENCE = "This gateway takes websockets only: connect with { transports: ['websocket'] }."
/** Between the packets of one answer (engine.io, revision 4). */
const SEPARATOR = '\x1e'

/**
 * socket.io's stock client begins with HTTP long-polling, and would be told no more than "xhr poll error". It is given a
 * handshake and, in the same answer, the refusal of its connection, so that its `connect_error` says what to do.
 */
export function refusePolling(io: Server, newId: () => string): void {
  io.engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const query = new URL(request.url ?? '/', 'http://gateway').searchParams
    if (query.get('transport') !== 'polling' || query.get('EIO') !== '4') return next()
    request.resume()
    response.writeHead(200, { 'content-type': 'text/plain; charset=UTF-8', 'cache-control': 'no-store' })
    if (request.method === 'POST') response.end('ok')
    else response.end(query.has('sid') ? '1' : refusal(newId))
  })
}

function refusal(newId: () => string): string {
  const details = { issues: [{ path: 'transport', message: 'must be websocket' }] }
  const data = new Refusal('invalid_input', SENTENCE, details).toPublic(newId())
  const handshake = { sid: newId(), upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 100_000 }
  return [`0${JSON.stringify(handshake)}`, `44${JSON.stringify({ message: SENTENCE, data })}`].join(SEPARATOR)
}
