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
 * One connection a domain: each may live on a MongoDB of its own, and where they share one, the many large reads of one
 * domain wait for its own sockets, not for those of all others.
 */
export function createDatabases(config: Config, log: Logger): Databases {
  const connections = new Map<string, Connection>()
  const connected = new Set<string>()
  const models = new Map<ModelDefinition<never>, Model<never>>()
  /** Domains whose database has let a ping wait for too long, until it answers that one. */
  const hanging = new Set<string>()

  const connection = (domain: string): Connection => {
    let known = connections.get(domain)
    if (!known) {
      known = mongoose.createConnection()
      known.on('disconnected', () => log.warn({ domain }, 'MongoDB is out of reach'))
      known.on('reconnected', () => log.info({ domain }, 'MongoDB is back'))
      connections.set(domain, known)
    }
    return known
  }

  async function pings(domain: string): Promise<boolean> {
    const { readyState, db } = connection(domain)
    // Asked all the same, the driver would wait for it to come back. One that hangs is not asked again beside that.
    if (readyState !== mongoose.ConnectionStates.connected || !db || hanging.has(domain)) return false
    const answered = db.command({ ping: 1 }).then(
      () => true,
      () => false,
    )
    void answered.then(() => hanging.delete(domain))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => {
        hanging.add(domain)
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
        known = connection(domain).model(collection, schema, collection) as unknown as Model<never>
        models.set(key, known)
      }
      return known as unknown as Model<T>
    },
    async connect(domains) {
      await Promise.all(
        domains.map((domain) => {
          connected.add(domain)
          const uri = config.mongodbUri(domain)
          return connection(domain).openUri(uri, {
            dbName: databaseName(uri),
            ...clientOptions(config),
            autoIndex: false,
            autoCreate: false,
            bufferCommands: false,
            maxPoolSize: 32,
            socketTimeoutMS: config.deadlinesMs.quick,
          })
        }),
      )
    },
    async ping() {
      const answers = [...connected].map(async (domain) => [domain, await pings(domain)] as const)
      return Object.fromEntries(await Promise.all(answers))
    },
    async close() {
      await Promise.all(
        [...connections.values()].map((each) => {
          each.removeAllListeners('disconnected')
          return each.destroy()
        }),
      )
    },
  }
}
