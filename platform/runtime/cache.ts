import { LRUCache } from 'lru-cache'
import { redisStore } from './cacheRedis.js'
import { CACHE_MAX_AGE_MS, type CacheStore } from './cacheStore.js'
import type { System } from './system.js'

export interface Cache<T> {
  /** The value for a key, at most CACHE_MAX_AGE_MS old: kept, or loaded. No decision may rest on it. */
  read(key: string, load: () => Promise<T>): Promise<T>
  drop(keys: readonly string[]): Promise<void>
}

export interface CacheFigures {
  hits: number
  misses: number
}

/** All caches of a process share one store: memory, or the Redis of REDIS_URL. `system.use(caches)`. */
export function caches(system: System) {
  const { redisUrls } = system.config.cache
  const store = redisUrls.length > 0 ? redisStore(redisUrls, system.log) : memoryStore()
  const figures: CacheFigures = { hits: 0, misses: 0 }
  system.onClose(() => store.close())
  system.addCheck('cache', () => {
    const { ok, detail } = store.check()
    const { hits, misses } = figures
    const ratio = hits + misses === 0 ? 0 : hits / (hits + misses)
    return { ok, detail: `${detail}; ${hits} hits, ${misses} misses, hit ratio ${ratio.toFixed(3)}` }
  })

  return {
    figures,
    /** `name` keeps its keys apart from those of other caches. */
    open<T>(name: string): Cache<T> {
      const loading = new Map<string, { sinceMs: number; value: Promise<T> }>()
      const fullKey = (key: string): string => `holdfast:${name}:${key}`

      async function load(key: string, from: () => Promise<T>): Promise<T> {
        const expiry = await store.begin(fullKey(key))
        const value = await from()
        await store.set(fullKey(key), JSON.stringify(value), expiry)
        return value
      }

      return {
        async read(key, from) {
          const kept = await store.get(fullKey(key))
          if (kept !== undefined) {
            figures.hits++
            return JSON.parse(kept) as T
          }
          figures.misses++
          // Those that miss together load once, unless the load that is under way is old itself.
          const under = loading.get(key)
          if (under && performance.now() - under.sinceMs < MAX_JOIN_MS) return under.value
          const value = load(key, from)
          const mine = { sinceMs: performance.now(), value }
          loading.set(key, mine)
          try {
            return await value
          } finally {
            if (loading.get(key) === mine) loading.delete(key)
          }
        },
        async drop(keys) {
          await store.drop(keys.map(fullKey))
        },
      }
    },
  }
}

/** How old a load may be that others still wait for with the first one. */
const MAX_JOIN_MS = 200
const MAX_ENTRIES = 10_000

/** lru-cache in this process, by a clock that nobody sets. */
export function memoryStore(nowMs: () => number = () => performance.now()): CacheStore {
  const entries = new LRUCache<string, { value: string; expiry: number }>({ max: MAX_ENTRIES })
  return {
    get(key) {
      const entry = entries.get(key)
      if (entry && entry.expiry > nowMs()) return Promise.resolve(entry.value)
      entries.delete(key)
      return Promise.resolve(undefined)
    },
    begin: () => Promise.resolve(nowMs() + CACHE_MAX_AGE_MS - MAX_JOIN_MS),
    set(key, value, expiry) {
      if (expiry !== undefined) entries.set(key, { value, expiry })
      return Promise.resolve()
    },
    drop(keys) {
      for (const key of keys) entries.delete(key)
      return Promise.resolve()
    },
    check: () => ({ ok: true, detail: `in memory, ${entries.size} entries` }),
    close: () => entries.clear(),
  }
}
