/** What a client reads from a cache was true at most so long ago. */
export const CACHE_MAX_AGE_MS = 1000

/** Where cached values are. Never fails: what cannot be had is a miss, what cannot be stored is not there. */
export interface CacheStore {
  /** The value as JSON; undefined where there is none. */
  get(key: string): Promise<string | undefined>
  /** Before a load begins: until when its value may be shown, by the clock of whoever keeps that key. */
  begin(key: string): Promise<Expiry>
  set(key: string, value: string, expiry: Expiry): Promise<void>
  drop(keys: readonly string[]): Promise<void>
  /** Whether it is as it should be; shown by getStatus. */
  check(): { ok: boolean; detail: string }
  close(): void
}

/** In the store's own clock; undefined: the store could not say, so nothing is stored. */
export type Expiry = number | undefined
