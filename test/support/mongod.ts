import test from 'ava'
import { MongoMemoryReplSet } from 'mongodb-memory-server-core'
import { randomBytes } from 'node:crypto'
import { findMongod, mongodTuning, mongodVersion } from '../../platform/mongod/mongod.js'

/** A replica set that lives as long as the test file. */
export interface TestMongod {
  /** For this database, by default one with a name of its own. */
  uri(database?: string): string
  replicaSet: MongoMemoryReplSet
}

/** Its log goes through a pipe that this process reads: a test that blocks (spawnSync) would block a talkative mongod. */
const QUIET = ['--quiet', '--slowms', '60000']
const ARGS = [
  ...mongodTuning(),
  ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
  // What a killed process left open is given up sooner than the minute it takes by default.
  ...['--setParameter', 'transactionLifetimeLimitSeconds=5'],
  // A lookup that no index serves fails here, before it is slow elsewhere.
  ...['--setParameter', 'notablescan=1'],
  '--nounixsocket',
  ...QUIET,
]

const started: Promise<TestMongod>[] = []
let shared: Promise<TestMongod> | undefined

test.after.always('the mongods of this file stop', async () => {
  for (const each of await Promise.allSettled(started)) {
    if (each.status === 'fulfilled') await each.value.replicaSet.stop({ doCleanup: true, force: true })
  }
})

/** The one that the tests of a file share, started at its first use. Each test takes a database of its own. */
export const sharedMongod = (): Promise<TestMongod> => (shared ??= startMongod())

/** Further ones, for domains that live apart. */
export const startMongods = (count: number): Promise<TestMongod[]> =>
  Promise.all(Array.from({ length: count }, () => startMongod()))

/** One of its own, of so many nodes. It stops with the file, or earlier by `replicaSet.stop()`. */
export function startMongod({ nodes = 1 } = {}): Promise<TestMongod> {
  const starting = start(nodes)
  started.push(starting)
  return starting
}

async function start(nodes: number): Promise<TestMongod> {
  const binary = await findMongod((line) => console.error(line))
  const replicaSet = await MongoMemoryReplSet.create({
    binary: { systemBinary: binary, version: await mongodVersion(binary) },
    replSet: { name: 'test', count: nodes, storageEngine: 'wiredTiger', args: ARGS },
    // Ten seconds by default, which a busy machine takes now and then.
    instanceOpts: Array.from({ length: nodes }, () => ({ launchTimeout: 60_000 })),
  })
  return {
    replicaSet,
    uri: (database = `test-${randomBytes(6).toString('hex')}`) => replicaSet.getUri(database),
  }
}
