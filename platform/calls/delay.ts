const WINDOW_MS = 60_000

/**
 * How long messages of a connection were under way, by the clock readings that their sender put on them. The two clocks
 * need not agree: the quickest message of the last minutes says how far they are apart, and whatever took longer than
 * it did waited, in a socket's buffer that a busy process did not read. A minute at a time, because clocks drift.
 */
export function createDelayMeter(now: () => number = () => performance.now()): (sentAtMs: number) => number {
  let quickest = Infinity
  let quickestBefore = Infinity
  let windowEndsAt = now() + WINDOW_MS
  return (sentAtMs) => {
    const at = now()
    if (at >= windowEndsAt) {
      quickestBefore = quickest
      quickest = Infinity
      windowEndsAt = at + WINDOW_MS
    }
    const apart = at - sentAtMs
    quickest = Math.min(quickest, apart)
    return apart - Math.min(quickest, quickestBefore)
  }
}
