import { createServer } from 'node:http'
import { Server } from 'socket.io'

/** A bare socket.io server that answers every event with what it got: the most that any gateway could do. */
const http = createServer()
const io = new Server(http, { transports: ['websocket'], serveClient: false })
io.on('connection', (socket) => {
  socket.on('echo', (input: unknown, answer: (input: unknown) => void) => answer(input))
})
http.listen(0, '127.0.0.1', () => process.send?.({ port: (http.address() as { port: number }).port }))
