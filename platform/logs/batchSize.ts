/**
 * How much to take at once. A batch that fails may have been too much for a slow moment: the next one is a quarter, so
 * that something gets done and is saved; each that goes well doubles it again.
 */
export function createBatchSize(max: number): { now(): number; during<R>(work: () => Promise<R>): Promise<R> } {
  let size = max
  return {
    now: () => size,
    async during(work) {
      try {
        const result = await work()
        size = Math.min(max, 2 * size)
        return result
      } catch (error) {
        size = Math.max(1, Math.floor(size / 4))
        throw error
      }
    },
  }
}
