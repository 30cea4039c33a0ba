import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 10

/**
 * Waits until the predicate answers something truthy, and answers that. Throws after `timeoutMs`, which a busy machine may need,
 * and which is shorter than the sweeps that would hide a missing wake-up (30 s); the predicate's own
 * last error is the cause then, for a predicate that throws counts as not yet.
 */
export async function until<T>(
  predicate: () => T | Promise<T>,
  { timeoutMs = 20_000, what = 'the condition' }: { timeoutMs?: number; what?: string } = {},
): Promise<NonNullable<T>> {
  const giveUpAt = Date.now() + timeoutMs
  let cause: unknown
  for (;;) {
    try {
      const answer = await predicate()
      if (answer) return answer
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (Date.now() > giveUpAt) throw new Error(`Waited ${timeoutMs} ms for ${what} in vain`, { cause })
    await sleep(POLL_MS)
  }
}
