import { MongoMemoryReplSet } from 'mongodb-memory-server-core'
import { findMongod, mongodTuning, mongodVersion } from '../../platform/mongod/mongod.js'

/** The database that all arms of a run share. */
export interface Server {
  nodes: number
  version: string
  pids: number[]
  /** For this database. */
  uri(database: string): string
  stop(): Promise<void>
}

/** A replica set with the settings of the embedded one, on data of its own. */
export async function startServer(nodes: number, cacheGb?: number): Promise<Server> {
  const binary = await findMongod((line) => console.error(line))
  const version = await mongodVersion(binary)
  const replicaSet = await MongoMemoryReplSet.create({
    binary: { systemBinary: binary, version },
    replSet: {
      name: 'bench',
      count: nodes,
      storageEngine: 'wiredTiger',
      args: [...mongodTuning(cacheGb), '--nounixsocket'],
    },
  })
  return {
    nodes,
    version,
    pids: replicaSet.servers.flatMap(({ instanceInfo }) => instanceInfo?.instance.mongodProcess?.pid ?? []),
    uri: (database) => replicaSet.getUri(database),
    async stop() {
      await replicaSet.stop({ doCleanup: true, force: true })
    },
  }
}
