import { platform } from '../functions/platform/contract.js'
import type { System } from '../platform/runtime/system.js'

const EVERY_MS = 60_000

/**
 * Has people told of trouble that stays. By a timer of its own and no job: whoever tells that jobs are late, or that
 * MongoDB is gone, must need neither.
 */
export function watchForTrouble(system: System, everyMs = EVERY_MS): { stop(): void } {
  const timer = setInterval(() => {
    const requestId = system.newId()
    system
      .call(platform.reportTrouble, {}, { caller: null, requestId })
      .catch((error: unknown) => system.log.error({ err: error, requestId }, 'trouble was not told'))
  }, everyMs)
  return { stop: () => clearInterval(timer) }
}
