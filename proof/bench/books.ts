import mongoose, { type mongo } from 'mongoose'
import type pg from 'pg'
import { startServer, type Server } from '../support/server.js'
import { auditRun } from './audit.js'
import { readDatabaseCounters, type DatabaseCounters } from './counters.js'
import { auditPostgres, refillPostgres } from './postgres/schema.js'
import type { PostgresServer } from './postgres/server.js'
import { refill } from './seed.js'

/** Where an arm books: filled afresh before each run, audited after it. */
export interface Books {
  /** Of the database. */
  version: string
  refill(): Promise<void>
  /** What is wrong with them. */
  audit(run: { acknowledged: number; unknown: number }): Promise<string[]>
  /** Where the database counts them exactly. */
  counters(): Promise<DatabaseCounters>
  /** The processes of the database. */
  pids(): number[]
}

export const mongoBooks = (db: mongo.Db, { version, pids }: Server): Books => ({
  version,
  refill: () => refill(db),
  audit: (run) => auditRun(db, run),
  counters: () => readDatabaseCounters(db),
  pids: () => pids,
})

/** PostgreSQL's own counters are up to a second late, which is too late here. */
const NOT_COUNTED: DatabaseCounters = { writes: NaN, roundTrips: NaN, journalSyncs: NaN }

export const postgresBooks = (db: pg.Pool, { version, pids }: PostgresServer): Books => ({
  version,
  refill: () => refillPostgres(db),
  audit: (run) => auditPostgres(db, run),
  counters: () => Promise.resolve(NOT_COUNTED),
  pids,
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
