/** A token bucket. Time is passed in, in milliseconds of any steady clock. */
export interface Bucket {
  /** Takes tokens, one unless told: 0 when there were so many, otherwise how many milliseconds until there are. */
  take(nowMs: number, count?: number): number
}

export function createBucket(ratePerSecond: number, burst: number): Bucket {
  let tokens = burst
  let filledAtMs = 0
  return {
    take(nowMs, count = 1) {
      if (filledAtMs > 0) tokens = Math.min(burst, tokens + ((nowMs - filledAtMs) / 1000) * ratePerSecond)
      filledAtMs = nowMs
      if (tokens < count) return Math.ceil(((count - tokens) / ratePerSecond) * 1000)
      tokens -= count
      return 0
    },
  }
}
