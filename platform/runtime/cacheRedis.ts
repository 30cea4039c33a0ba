import { Cluster, Redis } from 'ioredis'
import { CACHE_MAX_AGE_MS, type CacheStore } from './cacheStore.js'
import type { Logger } from '../lib/log.js'

/** Longer than that a read does not wait for a cache. Taken off the age of what is stored, so that it is never passed. */
const TIMEOUT_MS = 100
const RECONNECT_MS = 500

/**
 * A Redis (from 6.2 up) as the store of caches: one address is a server, several are nodes of a Redis Cluster, which
 * shards by key. It can be gone: then every read is a miss after at most TIMEOUT_MS, mostly at once.
 *
 * Ages are counted by the clock of the server that keeps the value, from before the load began, and end at a fixed moment
 * (PXAT): neither the clocks of hosts nor a command that arrives late make a value look younger than it is.
 */
export function redisStore(urls: readonly string[], log: Logger): CacheStore {
  const common = { commandTimeout: TIMEOUT_MS, connectTimeout: 2000, enableOfflineQueue: false }
  const redis: Redis | Cluster =
    urls.length === 1
      ? new Redis(urls[0] as string, { ...common, maxRetriesPerRequest: 0, retryStrategy: () => RECONNECT_MS })
      : new Cluster([...urls], {
          enableOfflineQueue: false,
          redisOptions: { ...common, maxRetriesPerRequest: 0 },
          clusterRetryStrategy: () => RECONNECT_MS,
        })
  let reachable: boolean | undefined

  function note(now: boolean, reason?: string): void {
    if (now !== reachable) log[now ? 'info' : 'warn']({ reason }, now ? 'the Redis cache is there' : 'no Redis cache')
    reachable = now
  }
  redis.on('ready', () => note(true))
  redis.on('error', (error: Error) => note(false, error.message))

  /** A cache that fails is a cache that has nothing. */
  async function attempt<T>(command: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await command()
      note(true)
      return answer
    } catch (error) {
      note(false, (error as Error).message)
      return undefined
    }
  }

  return {
    get: async (key) => (await attempt(() => redis.get(key))) ?? undefined,
    async begin(key) {
      // Through a script, which a cluster runs where the key is.
      const time = await attempt(() => redis.eval("return redis.call('TIME')", 1, key) as Promise<[string, string]>)
      return time && Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000) + CACHE_MAX_AGE_MS - TIMEOUT_MS
    },
    async set(key, value, expiry) {
      if (expiry !== undefined) await attempt(() => redis.set(key, value, 'PXAT', expiry))
    },
    async drop(keys) {
      // One by one: keys of one command would have to be on one node of a cluster.
      await Promise.all(keys.map((key) => attempt(() => redis.del(key))))
    },
    check: () => ({
      ok: reachable === true,
      detail: `Redis at ${urls.length} ${urls.length === 1 ? 'address' : 'addresses'}${reachable ? '' : ', out of reach'}`,
    }),
    close: () => redis.disconnect(),
  }
}
