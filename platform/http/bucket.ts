/** A token bucket. Time is passed in, in milliseconds of any steady clock. */
export interface Bucket {
  /** Takes tokens, one unless told: 0 when there were so many, otherwise how many milliseconds until there are. */
  take(nowMs: number, count?: number): number
  /** Takes what something has cost that could not be known before: there may be fewer than none afterwards. */
  charge(nowMs: number, count: number): void
  /** 0 (empty, or in debt) to 1. */
  fill(nowMs: number): number
}

/** A debt is paid off within this many times of what it takes to fill an empty bucket. */
const DEEPEST_DEBT = 5

export function createBucket(ratePerSecond: number, burst: number): Bucket {
  let tokens = burst
  let filledAtMs = 0

  function refill(nowMs: number): void {
    if (filledAtMs > 0) tokens = Math.min(burst, tokens + ((nowMs - filledAtMs) / 1000) * ratePerSecond)
    filledAtMs = nowMs
  }

  return {
    take(nowMs, count = 1) {
      refill(nowMs)
      if (tokens < count) return Math.ceil(((count - tokens) / ratePerSecond) * 1000)
      tokens -= count
      return 0
    },
    charge(nowMs, count) {
      refill(nowMs)
      tokens = Math.max(-DEEPEST_DEBT * burst, tokens - count)
    },
    fill(nowMs) {
      refill(nowMs)
      return Math.max(0, tokens / burst)
    },
  }
}
