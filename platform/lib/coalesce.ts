/**
 * Lets concurrent calls of one kind share a round trip. A call made while fewer than `maxInFlight` batches are under way
 * leaves at once (no wait when alone); the others gather, first come first served, until a batch returns.
 *
 * `run` answers one result an item, in order; an Error among them rejects that item's call alone, a rejection all of
 * the batch. After `timeoutMs` a call is rejected with `onTimeout()`: taken back if it was still waiting, otherwise its
 * outcome is unknown and a late one is ignored.
 */
export interface CoalesceOptions {
  maxBatch: number
  /** What waits is shared out among the batches that may leave, none smaller than this; by default the first takes all. */
  minBatch?: number
  maxInFlight: number
  timeoutMs: number
  onTimeout: () => Error
}

interface Waiting<I, O> {
  item: I
  resolve: (value: O) => void
  reject: (error: unknown) => void
}

export function coalesce<I, O>(
  run: (items: I[]) => Promise<(O | Error)[]>,
  { maxBatch, minBatch = maxBatch, maxInFlight, timeoutMs, onTimeout }: CoalesceOptions,
): (item: I) => Promise<O> {
  const queue: Waiting<I, O>[] = []
  let inFlight = 0
  let scheduled = false

  function flush(): void {
    scheduled = false
    while (inFlight < maxInFlight && queue.length > 0) {
      const share = Math.ceil(queue.length / (maxInFlight - inFlight))
      inFlight++
      void send(queue.splice(0, Math.min(maxBatch, Math.max(minBatch, share))))
    }
  }

  async function send(batch: Waiting<I, O>[]): Promise<void> {
    try {
      const results = await run(batch.map(({ item }) => item))
      batch.forEach(({ resolve, reject }, i) => {
        const result = results[i] as O | Error
        if (result instanceof Error) reject(result)
        else resolve(result)
      })
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      inFlight--
      flush()
    }
  }

  return (item) =>
    new Promise<O>((resolve, reject) => {
      const timer = setTimeout(() => {
        const at = queue.indexOf(waiting)
        if (at >= 0) queue.splice(at, 1)
        reject(onTimeout())
      }, timeoutMs)
      const settled =
        <A extends unknown[]>(settle: (...args: A) => void) =>
        (...args: A) => {
          clearTimeout(timer)
          settle(...args)
        }
      const waiting: Waiting<I, O> = { item, resolve: settled(resolve), reject: settled(reject) }
      queue.push(waiting)
      // One turn of the event loop: calls made together by one message or one read leave together.
      if (!scheduled && inFlight < maxInFlight) {
        scheduled = true
        setImmediate(flush)
      }
    })
}
