import mongoose from 'mongoose'
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { ACCEPTED, type Outcome } from './arm.js'
import { collectionsOf, openClient, outcomeOfError } from './documents.js'
import { bookInTransaction } from './transaction.js'

/**
 * Arm 5's server: socket.io, and the transaction of arm 1 behind it. It checks nothing but what the guards check.
 *
 *     node transactionServer.js <uri>
 */
const { ObjectId } = mongoose.Types
const HOUR_MS = 3_600_000

interface Input {
  bookingId: string
  carId: string
  from: string
  to: string
}

const client = await openClient(process.argv[2] ?? '')
const collections = collectionsOf(client.db())
const http = createServer()
const io = new Server(http, { transports: ['websocket'], serveClient: false })

io.on('connection', (socket) => {
  const { userId, price } = socket.handshake.auth as { userId: string; price: number }
  socket.on('createBooking', (input: Input, answer: (outcome: Outcome) => void) => {
    const from = new Date(input.from)
    const to = new Date(input.to)
    bookInTransaction(client, collections, {
      bookingId: new ObjectId(input.bookingId),
      user: 0,
      userId: new ObjectId(userId),
      carId: new ObjectId(input.carId),
      from,
      to,
      cost: Math.ceil((to.getTime() - from.getTime()) / HOUR_MS) * price,
    }).then(
      () => answer(ACCEPTED),
      (error: unknown) => answer(outcomeOfError(error)),
    )
  })
})

http.listen(0, '127.0.0.1', () => process.send?.({ port: (http.address() as { port: number }).port }))
