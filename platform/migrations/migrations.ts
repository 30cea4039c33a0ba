import mongoose from 'mongoose'
import { databaseName, type Config } from '../../config/index.js'
import { clientOptions } from '../database/database.js'
import { listMigrations, migratedDomains, MigrationError, MIGRATIONS, type MigrationFile } from './files.js'
import { withMigrationLock } from './lock.js'

/**
 * Each domain's migrations are recorded in the collection `migrations` of that domain's database; domains may share
 * one. Records and claims are majority: what a runner or a booting host sees as applied stays applied.
 */
interface AppliedMigration {
  /** `<domain>/<number>-<words>` */
  _id: string
  domain: string
  checksum: string
  appliedAt: Date
  durationMs: number
}

export interface MigrationStatus {
  id: string
  domain: string
  /** changed: its file is another than the one that was applied. missing: applied, and its file is gone. */
  state: 'applied' | 'pending' | 'changed' | 'missing'
  appliedAt?: Date
}

export interface MigrationOptions {
  /** By default all that have migrations. */
  domains?: readonly string[]
  tree?: typeof MIGRATIONS
  say?: (line: string) => void
}

/**
 * Applies what is pending and answers its ids. Safe to run many times at once. Stops at the first migration that
 * fails, with an error that names it; what was applied before stays, and running again goes on there.
 */
export async function migrateUp(
  config: Config,
  { domains, tree = MIGRATIONS, say = () => {} }: MigrationOptions = {},
): Promise<string[]> {
  const applied: string[] = []
  for (const domain of domains ?? migratedDomains(tree)) {
    await withDatabase(config, domain, (db) =>
      withMigrationLock(db, domain, say, async (lock) => {
        const records = recordsOf(db)
        const files = listMigrations(domain, tree)
        const known = await readRecords(db, domain)
        refuseDrift(statusOf(files, known))
        for (const file of files.filter(({ id }) => !known.some(({ _id }) => _id === id))) {
          lock.assertHeld()
          const startedAt = performance.now()
          await attempt(file, 'up', db)
          const durationMs = Math.round(performance.now() - startedAt)
          lock.assertHeld()
          const { id: _id, checksum } = file
          await records.insertOne({ _id, domain, checksum, appliedAt: new Date(), durationMs })
          say(`${file.id}: applied in ${durationMs} ms`)
          applied.push(file.id)
        }
      }),
    )
  }
  return applied
}

/**
 * Undoes the migration that was applied last, or with `to` all of that one's domain that were applied after it.
 * Answers what it undid.
 */
export async function migrateDown(
  config: Config,
  { to, domains, tree = MIGRATIONS, say = () => {} }: MigrationOptions & { to?: string } = {},
): Promise<string[]> {
  const domain = to?.split('/')[0] ?? (await lastApplied(config, domains ?? migratedDomains(tree), tree))?.domain
  if (domain === undefined) return []
  return withDatabase(config, domain, (db) =>
    withMigrationLock(db, domain, say, async (lock) => {
      const files = listMigrations(domain, tree)
      const known = await readRecords(db, domain)
      refuseDrift(statusOf(files, known))
      const newestFirst = known.toReversed()
      const end = to === undefined ? Math.min(1, known.length) : newestFirst.findIndex(({ _id }) => _id === to)
      if (end < 0) throw new MigrationError(`${to} is not applied`)
      const undone: string[] = []
      for (const { _id } of newestFirst.slice(0, end)) {
        lock.assertHeld()
        await attempt(files.find(({ id }) => id === _id) as MigrationFile, 'down', db)
        lock.assertHeld()
        await recordsOf(db).deleteOne({ _id })
        say(`${_id}: undone`)
        undone.push(_id)
      }
      return undone
    }),
  )
}

/** What is applied, pending, changed and missing, by domain and in order. */
export async function migrationStatus(
  config: Config,
  { domains, tree = MIGRATIONS }: Omit<MigrationOptions, 'say'> = {},
): Promise<MigrationStatus[]> {
  const all: MigrationStatus[] = []
  for (const domain of domains ?? migratedDomains(tree)) {
    const known = await withDatabase(config, domain, (db) => readRecords(db, domain))
    for (const each of statusOf(listMigrations(domain, tree), known)) all.push(each)
  }
  return all
}

/** Throws where a domain's database is not what this code was written for. Called before a function host answers. */
export async function assertMigrated(config: Config, domain: string, tree = MIGRATIONS): Promise<void> {
  const status = await migrationStatus(config, { domains: [domain], tree })
  refuseDrift(status)
  const pending = status.filter(({ state }) => state === 'pending').map(({ id }) => id)
  if (pending.length > 0) {
    throw new MigrationError(`Pending in the database of ${domain}: ${pending.join(', ')}. Run: npm run migrate -- up`)
  }
}

async function attempt({ id, load }: MigrationFile, direction: 'up' | 'down', db: mongoose.mongo.Db): Promise<void> {
  try {
    await (await load())[direction](db)
  } catch (error) {
    if (error instanceof MigrationError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new MigrationError(`${id} failed (${direction}): ${why}`, { cause: error })
  }
}

function statusOf(files: readonly MigrationFile[], known: readonly AppliedMigration[]): MigrationStatus[] {
  const records = new Map(known.map((record) => [record._id, record]))
  const present = files.map(({ id, domain, checksum }): MigrationStatus => {
    const record = records.get(id)
    records.delete(id)
    if (!record) return { id, domain, state: 'pending' }
    return { id, domain, state: record.checksum === checksum ? 'applied' : 'changed', appliedAt: record.appliedAt }
  })
  const missing = [...records.values()].map(({ _id, domain, appliedAt }): MigrationStatus => ({
    id: _id,
    domain,
    state: 'missing',
    appliedAt,
  }))
  return [...present, ...missing].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** The database was made by other files than these; nothing built on that would be known to be right. */
function refuseDrift(status: readonly MigrationStatus[]): void {
  for (const { id, state } of status) {
    if (state === 'changed') {
      throw new MigrationError(
        `migrations/${id}.ts changed after it was applied: restore it, and write a new migration`,
      )
    }
    if (state === 'missing') {
      throw new MigrationError(`migrations/${id}.ts was applied to this database, and is not here`)
    }
  }
}

async function lastApplied(
  config: Config,
  domains: readonly string[],
  tree: typeof MIGRATIONS,
): Promise<MigrationStatus | undefined> {
  const applied = (await migrationStatus(config, { domains, tree })).filter(({ appliedAt }) => appliedAt)
  return applied.sort((a, b) => (a.appliedAt as Date).getTime() - (b.appliedAt as Date).getTime()).at(-1)
}

const recordsOf = (db: mongoose.mongo.Db) => db.collection<AppliedMigration>('migrations')

/** In the order of their application. */
const readRecords = (db: mongoose.mongo.Db, domain: string): Promise<AppliedMigration[]> =>
  recordsOf(db).find({ domain }).sort({ appliedAt: 1, _id: 1 }).hint('_id_').toArray()

async function withDatabase<T>(
  config: Config,
  domain: string,
  work: (db: mongoose.mongo.Db) => Promise<T>,
): Promise<T> {
  const uri = config.mongodbUri(domain)
  if (!uri) {
    throw new MigrationError('No MongoDB is known: set MONGODB_URI, or run npm start, which starts the embedded one')
  }
  const client = new mongoose.mongo.MongoClient(uri, clientOptions(config))
  try {
    await client.connect()
    return await work(client.db(databaseName(uri)))
  } finally {
    await client.close()
  }
}
