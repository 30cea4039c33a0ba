import type { mongo } from 'mongoose'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Socket } from 'socket.io-client'
import type { Result } from '../../platform/contract/errors.js'
import { signToken } from '../../platform/runtime/tokens.js'
import { ACCEPTED } from './arms/arm.js'
import { bookingDocument, outcomeOfError } from './arms/documents.js'
import { startShipped } from './arms/shipped.js'
import { closedLoop } from './load.js'
import type { Options } from './options.js'
import { startProcess } from './processes.js'
import type { ReadResult } from './results.js'
import { refill } from './seed.js'
import type { Server } from '../support/server.js'
import { ask, connectAll } from './sockets.js'
import { migrate } from './stage.js'
import { ADMIN, requestsOf, userIdOf } from './workload.js'

const CLIENTS = 64
const ECHO = fileURLToPath(new URL('./arms/echoServer.js', import.meta.url))
const PERIOD = { from: '2031-01-02T00:00:00.000Z', to: '2031-01-03T00:00:00.000Z' }

/** Reads through the gateway, 64 at a time, beside a bare echo server and the same finds in one process. */
export async function measureReads(
  server: Server,
  client: mongo.MongoClient,
  directory: string,
  { seconds, placement }: Pick<Options, 'seconds' | 'placement'>,
): Promise<ReadResult[]> {
  const db = client.db('reads')
  await migrate(server.uri('reads'))
  await refill(db)
  const bookingId = await insertBooking(db)
  const results: ReadResult[] = []
  const measureRead = async (what: string, send: (n: number) => Promise<boolean>) => {
    let n = 0
    const tally = await closedLoop({
      inFlight: CLIENTS,
      warmUpMs: 1000,
      measureMs: seconds * 1000,
      next: () => n++ % CLIENTS,
      send: (slot) =>
        send(slot).then((ok) => (ok ? ACCEPTED : { result: 'refused' as const, why: 'not ok' }), outcomeOfError),
      done: () => {},
      onWindow: () => Promise.resolve(),
    })
    if (tally.refused + tally.failed > 0) throw new Error(`${what}: ${JSON.stringify(tally.reasons)}`)
    results.push({ what, perSecond: tally.accepted / tally.seconds, p50: tally.p50, p99: tally.p99 })
  }

  const echo = await startProcess('echo server', ECHO, { logFile: join(directory, 'echo.log') })
  const installation = await startShipped(server.uri('reads'), placement)
  const opened: Socket[] = []
  try {
    const { port } = echo.message as { port: number }
    const echoing = await connectAll(`http://127.0.0.1:${port}`, CLIENTS, () => ({}))
    opened.push(...echoing)
    const { config } = installation
    const token = await signToken(
      { userId: userIdOf(ADMIN).toHexString(), role: 'admin', tokenVersion: 0 },
      config,
      new Date(),
    )
    const admins = await connectAll(installation.url, CLIENTS, () => ({ token }))
    opened.push(...admins)
    const throughGateway = (operation: string, input: object) => async (n: number) =>
      ((await ask(admins[n] as Socket, operation, input)) as Result<unknown>).ok

    await measureRead('echo, bare socket.io', (n) => ask(echoing[n] as Socket, 'echo', {}).then(() => true))
    await measureRead('getStatus', throughGateway('getStatus', {}))
    await measureRead('getBooking', throughGateway('getBooking', { bookingId }))
    await measureRead('listUsers, first 50', throughGateway('listUsers', {}))
    await measureRead('listCars, first 50 free in a period', throughGateway('listCars', PERIOD))
  } finally {
    for (const socket of opened) socket.disconnect()
    await installation.stop()
    await echo.stop()
  }

  const found = (documents: Promise<unknown[]>) => documents.then((list) => list.length > 0)
  await measureRead('find of a booking, in process', () =>
    found(db.collection('bookings').find({}, { readConcern: 'majority' }).limit(1).toArray()),
  )
  await measureRead('find of 50 users, in process', () =>
    found(
      db.collection('users').find({}, { readConcern: 'majority' }).sort({ createdAt: 1, _id: 1 }).limit(51).toArray(),
    ),
  )
  const overlap = { $elemMatch: { from: { $lt: new Date(PERIOD.to) }, to: { $gt: new Date(PERIOD.from) } } }
  await measureRead('find of 50 free cars, in process', () =>
    found(
      db
        .collection('cars')
        .find({ $nor: [{ bookings: overlap }] }, { readConcern: 'majority' })
        .sort({ createdAt: 1, _id: 1 })
        .limit(51)
        .toArray(),
    ),
  )
  return results
}

async function insertBooking(db: mongo.Db): Promise<string> {
  const request = requestsOf('uniform', 1).next()
  if (!request) throw new Error('no user is idle')
  await db.collection('bookings').insertOne(bookingDocument(request, 'COMMITTED'))
  return request.bookingId.toHexString()
}
