import test from 'ava'
import mongoose from 'mongoose'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { databaseName, loadConfig } from '../../../config/index.js'
import { long } from '../../../platform/database/long.js'
import { createMigration, listMigrations, migratedDomains, MIGRATIONS } from '../../../platform/migrations/files.js'
import { permits } from '../../../platform/migrations/migration.js'
import { ID } from '../../../platform/migrations/shapes.js'
import { withMigrationLock, type MigrationLock } from '../../../platform/migrations/lock.js'
import { assertMigrated, migrateDown, migrateUp, migrationStatus } from '../../../platform/migrations/migrations.js'
import { OUTSTANDING, STATES } from '../../../protocol/states.js'
import { sharedMongod } from '../../support/mongod.js'
import { until } from '../../../proof/support/until.js'

type Db = mongoose.mongo.Db

const ALL = migratedDomains(MIGRATIONS).flatMap((domain) => listMigrations(domain, MIGRATIONS).map(({ id }) => id))
/** What undoing all bookings migrations but the first undoes, in that order. */
const AFTER_FIRST = ALL.filter((id) => id.startsWith('bookings/'))
  .slice(1)
  .reverse()
const ROOT = join(import.meta.dirname, '..', '..', '..')

/** Databases of its own for a test, and settings that point to them. */
async function freshDatabases(t: { teardown(end: () => Promise<void>): void }, apart: string[] = []) {
  const mongod = await sharedMongod()
  const uri = mongod.uri()
  const client = await new mongoose.mongo.MongoClient(uri, { w: 'majority' }).connect()
  t.teardown(() => client.close())
  const env: Record<string, string> = {
    NODE_ENV: 'test',
    MONGODB_URI: uri,
    AUTH_SECRET: 'the secret of tests that signs tokens',
    CLUSTER_SECRET: 'the secret of tests that signs calls',
  }
  for (const domain of apart) {
    env[`MONGODB_URI_${domain.toUpperCase()}`] = mongod.uri(`${databaseName(uri)}-${domain}`)
  }
  const dbOf = (domain: string): Db =>
    client.db(databaseName(env[`MONGODB_URI_${domain.toUpperCase()}`] ?? (env['MONGODB_URI'] as string)))
  return { env, config: loadConfig(env), db: client.db(databaseName(uri)), dbOf }
}

/** Migrations of a test's own: source texts by id. */
async function writeTree(t: { teardown(end: () => Promise<void>): void }, files: Record<string, string>) {
  const sources = await mkdtemp(join(tmpdir(), 'holdfast-migrations-'))
  t.teardown(() => rm(sources, { recursive: true }))
  await writeFile(join(sources, 'package.json'), '{"type": "module"}')
  const write = async (id: string, text: string): Promise<void> => {
    await mkdir(join(sources, id, '..'), { recursive: true })
    await writeFile(join(sources, `${id}.ts`), text)
  }
  for (const [id, text] of Object.entries(files)) await write(id, text)
  return { tree: { sources, modules: sources }, write }
}

/** Marks its run, and takes the mark away. */
const marking = (name: string): string => `export default {
  up: (db) => db.collection('marks').updateOne({ _id: '${name}' }, { $inc: { runs: 1 } }, { upsert: true }),
  down: (db) => db.collection('marks').deleteOne({ _id: '${name}' }),
}
`

/** Indexes and validators by collection, without what every collection has. */
async function dump(db: Db): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  for (const { name, options } of await db.listCollections<{ name: string; options?: object }>().toArray()) {
    if (['migrations', 'migrationLocks', 'marks'].includes(name)) continue
    const indexes = (await db.collection(name).indexes())
      .filter((index) => index.name !== '_id_')
      .map(({ v: _v, name: index, ...rest }) => [index as string, rest] as const)
    found[name] = { indexes: Object.fromEntries(indexes), ...options }
  }
  return sorted(found) as Record<string, unknown>
}

/** With keys in order, but those of an index: there the order is the meaning. */
const sorted = (value: unknown): unknown =>
  value && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, inner]) => [key, key === 'key' ? Object.entries(inner as object) : sorted(inner)]),
      )
    : value

const expected = async (): Promise<unknown> =>
  JSON.parse(await readFile(join(import.meta.dirname, 'migrations.expected.json'), 'utf8')) as unknown

const bookingOf = (userId: mongoose.mongo.ObjectId, rest: object) => ({
  userId,
  carId: new mongoose.mongo.ObjectId(),
  from: new Date(0),
  to: new Date(1),
  cost: long(0),
  state: 'INITIAL',
  epoch: 1,
  recoveries: 0,
  parked: false,
  repairs: [],
  request: { by: '', hash: '' },
  requestId: '',
  createdAt: new Date(),
  lastModified: new Date(),
  ...rest,
})

const userOf = (balance: unknown) => ({
  name: 'A',
  nameKey: 'a',
  email: `${new mongoose.mongo.ObjectId().toHexString()}@example.com`,
  role: 'user',
  tokenVersion: 0,
  balance,
  netDeposits: long(0),
  bookings: [],
  pendingBookings: [],
  tombstones: [],
  forgottenBefore: new Date(0),
  transfers: [],
  voidedTransfers: [],
  recentLedger: [],
  archivedLedger: { count: 0, balance: long(0) },
  version: 0,
  request: { by: '', hash: '' },
  createdAt: new Date(),
  updatedAt: new Date(),
})

test('all migrations make what is expected, and applied twice they make the same', async (t) => {
  const { config, db } = await freshDatabases(t)
  t.deepEqual(await migrateUp(config), ALL)
  t.deepEqual(await dump(db), (await expected()) as never)

  t.deepEqual(await migrateUp(config), [])
  // As after a runner that died between the change and its record.
  await db.collection('migrations').deleteMany({})
  t.deepEqual(await migrateUp(config), ALL)
  t.deepEqual(await dump(db), (await expected()) as never)
})

test('the states in indexes and validators are those of the protocol', async (t) => {
  const { bookings } = (await expected()) as {
    bookings: {
      validator: { $jsonSchema: { properties: { state: { enum: string[] } } } }
      indexes: Record<string, { partialFilterExpression?: { state: { $in: string[] } } }>
    }
  }
  t.deepEqual(bookings.validator.$jsonSchema.properties.state.enum, [...STATES])
  for (const index of ['one_outstanding_per_user', 'recovery']) {
    t.deepEqual(bookings.indexes[index]?.partialFilterExpression?.state.$in, [...OUTSTANDING], index)
  }
})

const FROZEN = ['../../platform/migrations/migration.js', '../../platform/migrations/shapes.js']

test('a migration imports nothing that may change under it', async (t) => {
  for (const id of ALL) {
    const source = await readFile(join(MIGRATIONS.sources, `${id}.ts`), 'utf8')
    const imports = [...source.matchAll(/from '([^']+)'/g)].map(([, module]) => module)
    t.deepEqual(
      imports.filter((module) => !FROZEN.includes(module as string)),
      [],
      id,
    )
  }
})

test('each collection is made by one migration; only those that domains share are in several', async (t) => {
  const makers = new Map<string, string[]>()
  for (const { id, load } of migratedDomains(MIGRATIONS).flatMap((domain) => listMigrations(domain, MIGRATIONS))) {
    const made = new Set<string>()
    const db = {
      command: ({ create }: { create: string }) => Promise.resolve(made.add(create)),
      collection: (name: string) => ({ createIndexes: () => Promise.resolve(made.add(name)) }),
    }
    await (await load()).up(db as unknown as Db)
    for (const name of made) makers.set(name, [...(makers.get(name) ?? []), id])
  }
  const several = [...makers].filter(([, ids]) => ids.length > 1).map(([name]) => name)
  t.deepEqual(several.sort(), ['events', 'projections', 'quotas'])
})

test('a kind of thing that comes later permits its bookings, and takes that back', async (t) => {
  const { config, db } = await freshDatabases(t)
  await migrateUp(config, { domains: ['bookings'] })
  const bookings = db.collection('bookings')
  const deskId = new mongoose.mongo.ObjectId()
  const { carId, ...desk } = { ...bookingOf(deskId, { state: 'COMMITTED' }), deskId }
  const isRefused = () => t.throwsAsync(bookings.insertOne({ ...desk }), { code: 121 } as never)
  await isRefused()

  const desks = permits('bookings', { deskId: ID })
  for (let runs = 0; runs < 2; runs++) await desks.up(db)
  await bookings.insertOne({ ...desk })
  await bookings.insertOne(bookingOf(deskId, { state: 'COMMITTED' }))
  for (const wrong of [{ carId }, { deskId: 'a desk' }]) {
    await t.throwsAsync(bookings.insertOne({ ...desk, ...wrong }), { code: 121 } as never)
  }
  for (let runs = 0; runs < 2; runs++) await desks.down(db)
  await isRefused()
})

test('domains are migrated where they live: each on its own database, or several on one', async (t) => {
  const { config, dbOf } = await freshDatabases(t, ['users'])
  await migrateUp(config)
  const recorded = async (domain: string) =>
    dbOf(domain).collection('migrations').distinct('domain') as Promise<string[]>
  t.deepEqual(await recorded('users'), ['users'])
  t.deepEqual(
    (await recorded('bookings')).sort(),
    migratedDomains(MIGRATIONS).filter((domain) => domain !== 'users'),
  )
  t.deepEqual(Object.keys(await dump(dbOf('users'))), [
    'apiKeys',
    'deposits',
    'ledger',
    'mails',
    'passwordTries',
    'quotas',
    'sessions',
    'users',
    'withdrawals',
  ])
  const others = Object.keys(await dump(dbOf('bookings')))
  t.deepEqual(
    ['agendaJobs', 'bookings', 'cars', 'users'].map((each) => others.includes(each)),
    [true, true, true, false],
  )
})

test('the validator keeps a balance a 64-bit integer from 0 to 2^53 - 1', async (t) => {
  const { config, db } = await freshDatabases(t)
  await migrateUp(config, { domains: ['users'] })
  const users = db.collection('users')
  for (const balance of [-1n, 9007199254740992n, 5, 0.5, 1e12, null, '5'])
    await t.throwsAsync(users.insertOne(userOf(balance)), { code: 121 } as never, String(balance))

  const { insertedId: _id } = await users.insertOne(userOf(long(0)))
  await users.updateOne({ _id }, { $inc: { balance: long(10) } })
  for (const change of [long(-11), 1.5, long(Number.MAX_SAFE_INTEGER)])
    await t.throwsAsync(users.updateOne({ _id }, { $inc: { balance: change } }), { code: 121 } as never)
  t.is((await users.findOne({ _id }))?.['balance'], 10)
})

test('a user has one outstanding booking, and a booking one reversal', async (t) => {
  const { config, db } = await freshDatabases(t)
  await migrateUp(config, { domains: ['bookings'] })
  const bookings = db.collection('bookings')
  const userId = new mongoose.mongo.ObjectId()
  for (const state of ['COMMITTED', 'CANCELLED', 'COMMITTED']) await bookings.insertOne(bookingOf(userId, { state }))
  for (const state of OUTSTANDING) {
    const { insertedId } = await bookings.insertOne(bookingOf(userId, { state }))
    await t.throwsAsync(bookings.insertOne(bookingOf(userId, {})), {
      code: 11000,
      message: /one_outstanding_per_user/,
    } as never)
    await bookings.insertOne(bookingOf(new mongoose.mongo.ObjectId(), { state }))
    await bookings.updateOne({ _id: insertedId }, { $set: { state: 'CANCELLED' } })
  }

  const reverses = new mongoose.mongo.ObjectId()
  await bookings.insertOne(bookingOf(userId, { state: 'COMMITTED', reverses }))
  await t.throwsAsync(bookings.insertOne(bookingOf(userId, { state: 'COMMITTED', reverses })), {
    code: 11000,
    message: /one_reversal_per_booking/,
  } as never)
})

test('runners that start at once apply each migration once', async (t) => {
  const { config, db } = await freshDatabases(t)
  const { tree } = await writeTree(t, {
    'users/0001-first': marking('first'),
    'users/0002-second': marking('second'),
    'bookings/0001-third': marking('third'),
  })
  const applied = await Promise.all(Array.from({ length: 5 }, () => migrateUp(config, { tree })))
  t.deepEqual(applied.flat().sort(), ['bookings/0001-third', 'users/0001-first', 'users/0002-second'])
  t.deepEqual(await db.collection<{ _id: string; runs: number }>('marks').distinct('runs'), [1])
  t.is(await db.collection('migrationLocks').countDocuments(), 0)
})

test('a runner waits for a living one, and passes over a dead one', async (t) => {
  const { config, db } = await freshDatabases(t)
  const { tree } = await writeTree(t, { 'users/0001-first': marking('first') })
  const claims = db.collection<{ _id: string; owner: string; expiresAt: Date }>('migrationLocks')

  const holdsIt = { _id: 'users', owner: 'a living runner', expiresAt: new Date(Date.now() + 3_600_000) }
  await claims.insertOne(holdsIt)
  const said: string[] = []
  const running = migrateUp(config, { tree, say: (line) => said.push(line) })
  await until(() => said.includes('users: waiting for another runner, a living runner'))
  t.deepEqual(await migrationStatus(config, { tree }), [{ id: 'users/0001-first', domain: 'users', state: 'pending' }])
  // It dies: nobody renews its claim.
  await claims.updateOne({ _id: 'users' }, { $set: { expiresAt: new Date(0) } })
  t.deepEqual(await running, ['users/0001-first'])
})

const isHeld = (lock: MigrationLock): boolean => {
  try {
    lock.assertHeld()
    return true
  } catch {
    return false
  }
}

test('a runner whose claim passed to another stops', async (t) => {
  const { db } = await freshDatabases(t)
  const claims = db.collection<{ _id: string; owner: string }>('migrationLocks')
  await withMigrationLock(
    db,
    'users',
    () => {},
    async (lock) => {
      t.notThrows(() => lock.assertHeld())
      await claims.updateOne({ _id: 'users' }, { $set: { owner: 'another runner' } })
      // Its next heartbeat tells it.
      await until(() => !isHeld(lock), { timeoutMs: 30_000 })
      t.throws(() => lock.assertHeld(), { message: /users: this runner stalled/ })
    },
  )
  t.is((await claims.findOne({ _id: 'users' }))?.owner, 'another runner')
})

test('down undoes the last one, or all after one, and up makes it again', async (t) => {
  const { config, db } = await freshDatabases(t)
  await migrateUp(config)
  const last = ALL.at(-1) as string
  t.deepEqual(await migrateDown(config), [last])
  t.is((await migrationStatus(config)).find(({ id }) => id === last)?.state, 'pending')

  t.deepEqual(await migrateDown(config, { to: 'bookings/0001-bookings' }), AFTER_FIRST)
  t.deepEqual(await migrateDown(config, { to: 'bookings/0001-bookings' }), [])
  await t.throwsAsync(migrateDown(config, { to: 'bookings/0009-never' }), { message: /is not applied/ })

  for (const domain of migratedDomains(MIGRATIONS)) {
    while ((await migrateDown(config, { domains: [domain] })).length > 0);
  }
  const bare = Object.values(await dump(db)) as { indexes: object; validator?: object }[]
  for (const { indexes, validator } of bare) {
    t.deepEqual(indexes, {})
    t.deepEqual(validator ?? {}, {})
  }
  t.deepEqual(await migrateUp(config), ALL)
  t.deepEqual(await dump(db), (await expected()) as never)
})

test('down keeps the data, and may run again', async (t) => {
  const { config, db } = await freshDatabases(t)
  await migrateUp(config, { domains: ['users'] })
  await db.collection('users').insertOne(userOf(long(1)))
  for (const file of listMigrations('users', MIGRATIONS)) {
    const { down } = await file.load()
    await down(db)
    await down(db)
  }
  t.is(await db.collection('users').countDocuments(), 1)
  await db.collection('users').drop()
  for (const file of listMigrations('users', MIGRATIONS)) await (await file.load()).down(db)
  t.pass()
})

test('a pending migration is named to whoever boots', async (t) => {
  const { config } = await freshDatabases(t)
  const { tree, write } = await writeTree(t, { 'users/0001-first': marking('first') })
  await t.throwsAsync(assertMigrated(config, 'users', tree), {
    message: 'Pending in the database of users: users/0001-first. Run: npm run migrate -- up',
  })
  await migrateUp(config, { tree })
  await assertMigrated(config, 'users', tree)
  await assertMigrated(config, 'bookings', tree)

  await write('users/0002-second', marking('second'))
  await t.throwsAsync(assertMigrated(config, 'users', tree), { message: /users\/0002-second/ })
})

test('an applied file that changed, or is gone, stops everything and is named', async (t) => {
  const { config } = await freshDatabases(t)
  const { tree, write } = await writeTree(t, {
    'users/0001-first': marking('first'),
    'users/0002-second': marking('second'),
  })
  await migrateUp(config, { tree })
  // Another checkout's line ends are no change.
  await write('users/0001-first', marking('first').replaceAll('\n', '\r\n'))
  await assertMigrated(config, 'users', tree)

  const refused = async (message: RegExp) => {
    await write('users/0003-third', marking('third'))
    await t.throwsAsync(migrateUp(config, { tree }), { message })
    await t.throwsAsync(migrateDown(config, { tree }), { message })
    await t.throwsAsync(assertMigrated(config, 'users', tree), { message })
  }
  await write('users/0001-first', marking('something else'))
  await refused(/migrations\/users\/0001-first\.ts changed after it was applied/)
  t.is((await migrationStatus(config, { tree }))[0]?.state, 'changed')

  await write('users/0001-first', marking('first'))
  await rm(join(tree.sources, 'users/0002-second.ts'))
  await refused(/migrations\/users\/0002-second\.ts was applied to this database, and is not here/)
  t.is((await migrationStatus(config, { tree }))[1]?.state, 'missing')
})

test('a migration that fails is named, is not recorded, and stops those after it', async (t) => {
  const { config, db } = await freshDatabases(t)
  const { tree } = await writeTree(t, {
    'users/0001-first': marking('first'),
    'users/0002-second': "export default { up() { throw new Error('no room') }, down() {} }",
    'users/0003-third': marking('third'),
  })
  await t.throwsAsync(migrateUp(config, { tree }), { message: 'users/0002-second failed (up): no room' })
  t.deepEqual(
    (await migrationStatus(config, { tree })).map(({ state }) => state),
    ['applied', 'pending', 'pending'],
  )
  t.is(await db.collection('migrationLocks').countDocuments(), 0)
})

test('a new migration gets the next number of its domain', async (t) => {
  const { tree } = await writeTree(t, { 'users/0007-first': marking('first') })
  t.is(createMigration('users/index-on-things', tree), join(tree.sources, 'users', '0008-index-on-things.ts'))
  t.is(createMigration('trains/first', tree), join(tree.sources, 'trains', '0001-first.ts'))
  t.deepEqual((await readdir(tree.sources)).sort(), ['package.json', 'trains', 'users'])
  for (const name of ['users', 'users/Index', '../users/x', 'users/a/b', 'users/'])
    t.throws(() => createMigration(name, tree), { name: 'MigrationError' }, name)
  await writeFile(join(tree.sources, 'users', 'helper.ts'), '')
  t.throws(() => listMigrations('users', tree), { message: /migrations\/users\/helper\.ts: a migration is named/ })
})

test('npm run migrate tells what it did, and by its exit code whether it did', async (t) => {
  const { env, db } = await freshDatabases(t)
  const migrate = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const options = { cwd: ROOT, env: { ...env, PATH: process.env['PATH'] } }
      execFile(process.execPath, ['--import=tsx', 'cli/migrate.ts', ...args], options, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      )
    })

  const taken = { ...userOf(long(0)), email: 'taken@example.com' }
  await db.collection('users').insertMany([taken, { ...taken, _id: new mongoose.mongo.ObjectId() }])
  const failed = await migrate('up')
  t.is(failed.code, 1)
  t.regex(failed.stderr, /^users\/0001-users failed \(up\): .*taken@example\.com/m)

  await db.collection('users').deleteMany({})
  const [up, other] = await Promise.all([migrate('up'), migrate('up')])
  t.deepEqual([up.code, other.code], [0, 0], up.stderr + other.stderr)
  t.is((up.stdout + other.stdout).match(/users\/0001-users: applied/g)?.length, 1)

  const status = await migrate('status')
  t.is(status.code, 0)
  t.deepEqual(
    status.stdout
      .split('\n')
      .slice(1, -1)
      .map((line) => line.split(/ +/).slice(0, 2)),
    ALL.map((id) => [id, 'applied']),
  )

  const [down, help, unknown] = await Promise.all([
    migrate('down', '--to', 'bookings/0001-bookings'),
    migrate('--help'),
    migrate('sideways'),
  ])
  t.is(down.stdout, AFTER_FIRST.map((id) => `${id}: undone\n`).join(''), down.stderr)
  t.regex(help.stdout, /npm run migrate -- <command>/)
  t.deepEqual([help.code, unknown.code], [0, 1])
})
