/** Small arithmetic of measurements. */

/** The value that a share of the sorted values (0 to 1) does not exceed; 0 when there are none. */
export const percentile = (sorted: ArrayLike<number>, share: number): number =>
  sorted.length === 0
    ? 0
    : (sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] as number)

/** 0 when there are none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return 0
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

export type Random = () => number

/** Mulberry32: the same seed gives every arm the same cars in the same order. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Draws 0 to count - 1; the k-th with a weight of 1 / k^exponent. Exponent 0 is uniform. */
export function zipf(count: number, exponent: number, random: Random): () => number {
  const cumulated = new Float64Array(count)
  let total = 0
  for (let i = 0; i < count; i++) cumulated[i] = total += (i + 1) ** -exponent
  return () => {
    const wanted = random() * total
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((cumulated[middle] as number) < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}
