import mongoose from 'mongoose'
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { ACCEPTED, type Outcome, type Rival } from './arm.js'
import { outcomeOfError } from './documents.js'
import { openTransactions as openMongoTransactions } from './transaction.js'
import { openBatches } from '../postgres/batches.js'
import { openTransactions as openPostgresTransactions } from '../postgres/transaction.js'

/**
 * The server of the arms that are Holdfast's rivals: socket.io, and a way to book behind it. It checks nothing but what
 * the guards check.
 *
 *     node transactionServer.js <way> <uri>
 */
const WAYS: Record<string, (uri: string) => Rival | Promise<Rival>> = {
  mongodb: openMongoTransactions,
  postgres: openPostgresTransactions,
  'postgres-batches': openBatches,
}

const { ObjectId } = mongoose.Types
const HOUR_MS = 3_600_000

interface Input {
  bookingId: string
  carId: string
  from: string
  to: string
}

const [, , way = '', uri = ''] = process.argv
const rival = await WAYS[way]?.(uri)
if (!rival) throw new Error(`There is no way "${way}"`)
const http = createServer()
const io = new Server(http, { transports: ['websocket'], serveClient: false })

io.on('connection', (socket) => {
  const { userId, price } = socket.handshake.auth as { userId: string; price: number }
  socket.on('createBooking', (input: Input, answer: (outcome: Outcome) => void) => {
    const from = new Date(input.from)
    const to = new Date(input.to)
    rival
      .book({
        bookingId: new ObjectId(input.bookingId),
        user: 0,
        userId: new ObjectId(userId),
        carId: new ObjectId(input.carId),
        from,
        to,
        cost: Math.ceil((to.getTime() - from.getTime()) / HOUR_MS) * price,
      })
      .then(
        () => answer(ACCEPTED),
        (error: unknown) => answer(outcomeOfError(error)),
      )
  })
})

http.listen(0, '127.0.0.1', () => process.send?.({ port: (http.address() as { port: number }).port }))
