import mongoose, { type mongo } from 'mongoose'
import { startServer, type Server } from '../support/server.js'
import { auditRun } from './audit.js'
import { readDatabaseCounters, type DatabaseCounters } from './counters.js'
import { refill } from './seed.js'

/** Where an arm books: filled afresh before each run, audited after it. */
export interface Books {
  refill(): Promise<void>
  /** What is wrong with them. */
  audit(run: { acknowledged: number; unknown: number }): Promise<string[]>
  counters(): Promise<DatabaseCounters>
  /** The processes of the database. */
  pids(): number[]
}

export const mongoBooks = (db: mongo.Db, { pids }: Server): Books => ({
  refill: () => refill(db),
  audit: (run) => auditRun(db, run),
  counters: () => readDatabaseCounters(db),
  pids: () => pids,
})

/** A mongod of its own with a client. */
export interface OwnServer {
  server: Server
  client: mongo.MongoClient
  close(): Promise<void>
}

export async function openServer(nodes: number): Promise<OwnServer> {
  const server = await startServer(nodes)
  const client = await new mongoose.mongo.MongoClient(server.uri('admin'), { maxPoolSize: 256 }).connect()
  return {
    server,
    client,
    async close() {
      await client.close()
      await server.stop()
    },
  }
}
