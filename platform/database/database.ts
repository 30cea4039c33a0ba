import mongoose, { type Connection, type Model } from 'mongoose'
import { databaseName, type Config } from '../../config/index.js'
import type { Logger } from '../lib/log.js'
import type { ModelDefinition } from './model.js'

/**
 * What every client that is opened has in common; it overrules the URI. No write is ever sent again by the driver: the
 * protocol counts the attempts itself, because a first attempt that timed out may land long after its retry succeeded.
 * Reads and writes are majority, on the primary and journaled, by default: what a client is told, or another document
 * relies on, must survive a failover.
 */
export const clientOptions = ({ deadlinesMs }: Pick<Config, 'deadlinesMs'>) => ({
  retryWrites: false,
  w: 'majority' as const,
  journal: true,
  readConcernLevel: 'majority' as const,
  readPreference: 'primary' as const,
  serverSelectionTimeoutMS: deadlinesMs.quick,
  ignoreUndefined: true,
})

export interface Databases {
  connection(domain: string): Connection
  model<T>(definition: ModelDefinition<T>): Model<T>
  /** May be called again when it failed. */
  connect(domains: readonly string[]): Promise<void>
  /** Whether each database that was connected to answers within a moment, by domain. */
  ping(): Promise<Record<string, boolean>>
  close(): Promise<void>
}

/** The domains that share a database, together. */
export function byDatabase(config: Pick<Config, 'mongodbUri'>, domains: readonly string[]): string[][] {
  const found = new Map<string, string[]>()
  for (const domain of domains) {
    const uri = config.mongodbUri(domain)
    const key = `${uri} ${databaseName(uri)}`
    found.set(key, [...(found.get(key) ?? []), domain])
  }
  return [...found.values()]
}

/** Less than peers wait for a health answer. Whoever asks for the status waits a second in all, and loads a client first. */
const PING_TIMEOUT_MS = 500

/**
 * One connection a database: domains may each live on a MongoDB of their own, and those that share one share its client.
 * Each client has sockets, heartbeats, and a timer that rings ten times a second, at rest too.
 */
export function createDatabases(config: Config, log: Logger): Databases {
  const connections = new Map<string, Connection>()
  const byPlace = new Map<string, Connection>()
  const connected = new Set<string>()
  const models = new Map<ModelDefinition<never>, Model<never>>()
  const openings = new Map<Connection, Promise<unknown>>()
  /** Those whose database has let a ping wait for too long, until it answers that one. */
  const hanging = new Set<Connection>()

  function connection(domain: string): Connection {
    let known = connections.get(domain)
    if (!known) {
      const uri = config.mongodbUri(domain)
      const place = `${uri} ${databaseName(uri)}`
      known = byPlace.get(place) ?? createConnection()
      byPlace.set(place, known)
      connections.set(domain, known)
    }
    return known
  }

  function createConnection(): Connection {
    const made = mongoose.createConnection()
    const domains = () => [...connected].filter((domain) => connections.get(domain) === made)
    made.on('disconnected', () => log.warn({ domains: domains() }, 'MongoDB is out of reach'))
    made.on('reconnected', () => log.info({ domains: domains() }, 'MongoDB is back'))
    return made
  }

  /** Opens it once. After that its client connects again by itself, and a second one would only confuse it. */
  async function open(domain: string): Promise<void> {
    const opened = connection(domain)
    if (opened.db) {
      await opened.db.command({ ping: 1 })
      return
    }
    let opening = openings.get(opened)
    if (!opening) {
      const uri = config.mongodbUri(domain)
      opening = opened
        .openUri(uri, {
          dbName: databaseName(uri),
          ...clientOptions(config),
          autoIndex: false,
          autoCreate: false,
          bufferCommands: false,
          maxPoolSize: 100,
          socketTimeoutMS: config.deadlinesMs.quick,
        })
        .finally(() => openings.delete(opened))
      openings.set(opened, opening)
    }
    await opening
  }

  async function pings(asked: Connection): Promise<boolean> {
    const { readyState, db } = asked
    // Asked all the same, the driver would wait for it to come back. One that hangs is not asked again beside that.
    if (readyState !== mongoose.ConnectionStates.connected || !db || hanging.has(asked)) return false
    const answered = db.command({ ping: 1 }).then(
      () => true,
      () => false,
    )
    void answered.then(() => hanging.delete(asked))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => {
        hanging.add(asked)
        resolve(false)
      }, PING_TIMEOUT_MS)
    })
    try {
      return await Promise.race([answered, late])
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    connection,
    model<T>(definition: ModelDefinition<T>): Model<T> {
      const key = definition as unknown as ModelDefinition<never>
      let known = models.get(key)
      if (!known) {
        const { domain, collection, schema } = definition
        const on = connection(domain)
        // Domains that share a database share some collections: each has their events, and how far its views are.
        known = (on.models[collection] ?? on.model(collection, schema, collection)) as unknown as Model<never>
        models.set(key, known)
      }
      return known as unknown as Model<T>
    },
    async connect(domains) {
      await Promise.all(
        domains.map((domain) => {
          connected.add(domain)
          return open(domain)
        }),
      )
    },
    async ping() {
      const answers = new Map([...byPlace.values()].map((each) => [each, pings(each)]))
      const told = [...connected].map(async (domain) => [domain, await answers.get(connection(domain))] as const)
      return Object.fromEntries(await Promise.all(told)) as Record<string, boolean>
    },
    async close() {
      await Promise.all(
        [...byPlace.values()].map((each) => {
          each.removeAllListeners('disconnected')
          return each.destroy()
        }),
      )
    },
  }
}
