import type { Logger } from '../lib/log.js'

/** One line of the log an operation, however many of its answers break the contract. */
const TELL_EVERY_MS = 60_000

/** Counts answers that break their contract, where nobody is failed for them. */
export function createMisfits(log: Logger, nowMs = () => performance.now()) {
  const known = new Map<string, { count: number; toldAtMs: number }>()
  return {
    note(operation: string, about: { requestId: string; err: Error }): void {
      const misfit = known.get(operation) ?? { count: 0, toldAtMs: -Infinity }
      misfit.count++
      known.set(operation, misfit)
      if (nowMs() - misfit.toldAtMs < TELL_EVERY_MS) return
      misfit.toldAtMs = nowMs()
      log.error({ operation, count: misfit.count, ...about }, 'answers break their contract')
    },
  }
}
