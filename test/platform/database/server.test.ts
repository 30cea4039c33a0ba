import test, { type ExecutionContext } from 'ava'
import mongoose from 'mongoose'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bookings } from '../../../functions/bookings/contract.js'
import { calendars } from '../../../functions/calendars/contract.js'
import { startScheduler } from '../../../jobs/scheduler.js'
import { SCHEDULE } from '../../../jobs/schedule.js'
import { complaintOfRights, NEEDED_ACTIONS, refuseUnfit, ServerUnfit } from '../../../platform/database/server.js'
import { verify } from '../../../platform/logs/rebuild.js'
import { migrateDown, migrateUp } from '../../../platform/migrations/migrations.js'
import { embeddedMongoUri, findMongod, initiateReplicaSet, mongodArgs } from '../../../platform/mongod/mongod.js'
import { projectionsOf } from '../../../projections/followers.js'
import { freeTcpPorts } from '../../../proof/support/installation.js'
import type { TestMongod } from '../../support/mongod.js'
import { createTestSystem, HOUR_MS, START } from '../../support/system.js'

/** A replica set that lets in whom it knows, and its root. */
const PASSWORD = 'a1b2c3d4'.repeat(8)
let port: number
let root: mongoose.mongo.MongoClient
let stop = (): Promise<void> => Promise.resolve()

async function run(args: string[]): Promise<() => Promise<void>> {
  const mongod = spawn(await findMongod((line) => console.error(line)), args, { stdio: 'ignore' })
  const ended = once(mongod, 'exit')
  return async () => {
    mongod.kill('SIGTERM')
    await ended
  }
}

async function directory(t: Pick<ExecutionContext, 'teardown'>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-mongod-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

let dbPath: string
test.before(async () => {
  dbPath = await mkdtemp(join(tmpdir(), 'holdfast-mongod-'))
  const keyFile = join(dbPath, 'key')
  await writeFile(keyFile, PASSWORD, { mode: 0o600 })
  ;[port] = (await freeTcpPorts(1)) as [number]
  stop = await run(mongodArgs({ dbPath, port, keyFile }))
  await initiateReplicaSet(port, { password: PASSWORD })
  root = await new mongoose.mongo.MongoClient(embeddedMongoUri(port, PASSWORD)).connect()
})

test.after.always(async () => {
  await root?.close()
  await stop()
  await rm(dbPath, { recursive: true, force: true })
})

type Role = string | { role: string; db: string }

/** The URI of a new user of this name. */
async function user(name: string, database: string, roles: Role[]): Promise<string> {
  await root.db('admin').command({ createUser: name, pwd: 'secret', roles })
  return `mongodb://${name}:secret@127.0.0.1:${port}/${database}?replicaSet=holdfast&authSource=admin`
}

async function verdict(uri: string): Promise<string> {
  const client = new mongoose.mongo.MongoClient(uri)
  try {
    await refuseUnfit((await client.connect()).db(), 'db.example.net/books')
    return 'fit'
  } catch (error) {
    if (error instanceof ServerUnfit) return error.message
    throw error
  } finally {
    await client.close()
  }
}

test('a user who lacks a right is refused with what is missing and what grants it', async (t) => {
  const on = (role: string, db = 'books') => ({ role, db })
  const lacking = 'The MongoDB at db.example.net/books does not let the user'
  const cases: [roles: Role[], says: string | RegExp][] = [
    [[on('readWrite'), on('dbAdmin')], 'fit'],
    [['readWriteAnyDatabase', 'dbAdminAnyDatabase'], 'fit'],
    [['root'], 'fit'],
    [
      [on('readWrite')],
      `${lacking} "u3" do all that Holdfast does in the database "books": collMod. In mongosh: use admin;`,
    ],
    [[on('read')], /: insert, update, remove, createCollection, createIndex, dropIndex, collMod\. In mongosh/],
    [[on('readWrite', 'other'), on('dbAdmin')], /: find, insert, update, remove, changeStream\. /],
    [[], /: find, insert, update, remove, changeStream, listCollections, createCollection, /],
  ]
  for (const [i, [roles, says]] of cases.entries()) {
    const found = await verdict(await user(`u${i}`, 'books', roles))
    if (typeof says === 'string') t.true(found.startsWith(says), found)
    else t.regex(found, says)
  }
  t.regex(await verdict(`mongodb://127.0.0.1:${port}/books?replicaSet=holdfast`), /wants a user and a password/)
  t.is(complaintOfRights('all', 'books'), undefined)
})

test('the rights that are asked for are enough for migrations, functions, views and jobs', async (t) => {
  const database = 'enough'
  const privileges = [
    // This test's own end needs one more.
    { resource: { db: database, collection: '' }, actions: [...NEEDED_ACTIONS, 'dropDatabase'] },
  ]
  await root.db('admin').command({ createRole: 'exactly', privileges, roles: [] })
  const uri = await user('exact', database, ['exactly'])
  t.is(await verdict(uri), 'fit')

  const system = await createTestSystem(t, { mongods: { users: { uri: () => uri } as TestMongod } })
  await migrateUp(system.config)
  const [buyer, seller] = [await system.makeUser({ balance: 5000 }), await system.makeUser()]
  const carId = await system.makeCar()
  const period = { from: new Date(+START + HOUR_MS).toISOString(), to: new Date(+START + 2 * HOUR_MS).toISOString() }
  const booking = await system.run(bookings.createBooking, { carId, ...period }, buyer)
  t.is(booking.state, 'COMMITTED')
  await system.run(bookings.cancelBooking, { bookingId: booking.id }, buyer)
  const invited = { sellerId: seller.userId, ...period, note: '', price: 100 }
  const { id: invitationId } = await system.run(calendars.inviteToBooking, invited, buyer)
  t.is((await system.run(calendars.confirmInvitation, { invitationId }, seller)).state, 'confirmed')
  for (const projection of projectionsOf(system)) {
    while ((await projection.advance()) > 0);
    t.true((await verify(system, projection, () => {})).equal)
  }
  t.true((await system.run(bookings.auditBooks, {})).ok)

  const stream = system.databases.connection('users').collection('users').watch()
  const told = once(stream, 'change')
  await once(stream, 'resumeTokenChanged')
  await system.makeUser()
  await told
  await stream.close()
  await system.databases.connect(['jobs'])
  await (await startScheduler(system, SCHEDULE)).stop()

  const undone = await migrateDown(system.config, { to: 'bookings/0001-bookings' })
  t.true(undone.length > 0)
  t.deepEqual((await migrateUp(system.config)).sort(), undone.sort())
})

test('with too few rights no command begins anything', async (t) => {
  const uri = await user('half', 'untouched', [{ role: 'readWrite', db: 'untouched' }])
  const env = { ...process.env, NODE_ENV: 'test', MONGODB_URI: uri, DATA_DIR: await directory(t) }
  const error = await new Promise<string>((resolve) =>
    execFile(process.execPath, ['--import=tsx', 'cli/migrate.ts', 'up'], { env }, (_error, _out, told) =>
      resolve(told),
    ),
  )
  t.regex(error, /does not let the user "half" do all that Holdfast does in the database "untouched": collMod/)
  t.notRegex(error, /secret|^ +at /m)
  t.deepEqual(await root.db('untouched').listCollections().toArray(), [])
})

test('a standalone server is refused', async (t) => {
  const [alone] = (await freeTcpPorts(1)) as [number]
  const end = await run([
    ...['--dbpath', await directory(t), '--port', String(alone), '--bind_ip', '127.0.0.1', '--nounixsocket'],
    ...['--wiredTigerCacheSizeGB', '0.25'],
  ])
  t.teardown(end)
  const uri = `mongodb://127.0.0.1:${alone}/books`
  t.regex(
    await verdict(uri),
    /is a standalone server, without transactions and change streams\. Start it with --replSet/,
  )
})
