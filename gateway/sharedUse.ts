import { platform } from '../functions/platform/contract.js'
import type { Logger } from '../platform/lib/log.js'
import type { Limits } from './limits.js'
import type { createSystemCall } from './systemCall.js'

const EVERY_MS = 500

/**
 * Makes the limits of users and addresses hold over all workers: each tells, twice a second, what those have spent that
 * are being drained, and hears what was spent elsewhere. So whoever uses W workers gets no more in the long run than by
 * one, but half a second of each at first. Where the platform domain does not answer, each worker counts for itself.
 */
export function shareUse(options: {
  limits: Limits
  call: ReturnType<typeof createSystemCall>
  worker: string
  log: Logger
}): { stop(): void } {
  const { limits, call, worker, log } = options
  let asking = false

  async function exchange(): Promise<void> {
    if (asking || !limits.used()) return
    asking = true
    try {
      const spent = [...limits.takeSpent()].map(([account, weight]) => ({ account, weight }))
      const { spent: others, workers } = await call(platform.shareUse, { worker, spent })
      limits.addSpent(others.map(({ account, weight }) => [account, weight] as const))
      limits.shareTurns(workers)
    } catch (error) {
      log.debug({ err: error }, 'what was spent is not shared')
    } finally {
      asking = false
    }
  }

  const timer = setInterval(() => void exchange(), EVERY_MS)
  return { stop: () => clearInterval(timer) }
}
