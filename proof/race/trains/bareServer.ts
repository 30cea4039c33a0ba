import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Server } from 'socket.io'

/** A socket.io server without anything behind it: what messages to rooms cost at the least. Started by fanout.ts. */
const http = createServer()
const io = new Server(http, { transports: ['websocket'], serveClient: false })
io.on('connection', (socket) => void socket.join(String(socket.handshake.auth['room'])))
http.listen(0, '127.0.0.1', () => process.send?.((http.address() as AddressInfo).port))

process.on('message', ({ messages, perSecond, rooms }: { messages: number; perSecond: number; rooms: number }) => {
  void (async () => {
    const startedAt = performance.now()
    for (let seq = 0; seq < messages; seq++) {
      await sleep(Math.max(0, startedAt + (seq * 1000) / perSecond - performance.now()))
      const data = { seq, lobbyId: '0'.repeat(24), bookingId: '1'.repeat(24), trainId: '2'.repeat(24), seats: [seq] }
      io.to(String(seq % rooms)).emit('booking:confirmed', { ...data, sentAt: Date.now() })
    }
  })()
})
