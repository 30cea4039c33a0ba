import type { Job } from 'agenda'
import { hostname } from 'node:os'
import { EXPIRATIONS, EXPIRE_ORDER, expirations } from '../functions/expirations/contract.js'
import { DEAD_AFTER, retryDelayMs } from '../platform/events/retries.js'
import type { System } from '../platform/runtime/system.js'
import { createAgenda } from './agenda.js'
import { timersDatabase } from './store.js'

const AT_ONCE = 50
/** How long after its holder's death a timer that was ringing rings again. */
const LOCK_MS = 10_000

export interface Timers {
  /** Takes no new timer, waits for those that ring (config.drainMs at most) and lets go of the others. */
  stop(): Promise<void>
}

/** Rings the timers of orders from this process. Any number of processes may do so: each timer has one holder. */
export async function startTimers(system: System): Promise<Timers> {
  const { config, log } = system
  const db = timersDatabase(system.databases)
  const owner = `${hostname()}:${process.pid}`
  const agenda = createAgenda(db, {
    name: owner,
    collection: EXPIRATIONS,
    atOnce: AT_ONCE,
    log,
  })
  agenda.define(EXPIRE_ORDER, ring, { lockLifetime: LOCK_MS, backoff: ({ attempt }) => pauseMs(attempt) })
  await agenda.start()

  /** After so many failures, as events are retried. null: no more, it is parked. */
  function pauseMs(failures: number): number | null {
    return failures >= DEAD_AFTER ? null : retryDelayMs(failures, Math.random)
  }

  /** A timer has the id of its order. It is gone after this; one that could not be told stays, and rings again. */
  async function ring({ attrs }: Job): Promise<void> {
    const orderId = String(attrs._id)
    try {
      await system.call(expirations.completeExpiration, { orderId }, { caller: null, requestId: system.newId() })
    } catch (error) {
      const failures = (attrs.failCount ?? 0) + 1
      if (failures < DEAD_AFTER) log.warn({ err: error, orderId, failures }, 'a timer of an order rings again')
      else log.error({ err: error, orderId, failures }, 'a timer of an order is parked: an admin must look at it')
      throw error
    }
  }

  return {
    async stop() {
      const { running } = await agenda.drain(config.drainMs)
      if (running > 0) log.warn({ running }, 'timers were still ringing')
      // One that still rings has no next time any more: without its lock nobody would ring it again.
      const waiting = { lastModifiedBy: owner, lockedAt: { $ne: null }, nextRunAt: { $type: 'date' as const } }
      await db
        .collection(EXPIRATIONS)
        .updateMany(waiting, { $set: { lockedAt: null } })
        .catch((error: unknown) => log.warn({ err: error }, 'timers were not released'))
    },
  }
}
