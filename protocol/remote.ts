import { coalesce } from '../platform/lib/coalesce.js'
import type { System } from '../platform/runtime/system.js'
import { Unknown } from './store.js'

/**
 * Steps of the protocol that an operation of another domain takes. Those of concurrent bookings share a message, as their
 * writes share a journal flush. A lost call leaves each of its steps unknown, and so does what took too long.
 */
export const remoteSteps = <S, V>(
  { config }: Pick<System, 'config'>,
  operation: string,
  call: (steps: S[]) => Promise<(V | 'unknown')[]>,
): ((step: S) => Promise<V>) =>
  coalesce<S, V>(
    async (steps) => {
      const outcomes = await call(steps).catch((error: unknown) => {
        throw new Unknown(`${operation}: ${(error as Error).message}`, { cause: error })
      })
      return outcomes.map((outcome) => (outcome === 'unknown' ? new Unknown(`${operation}: outcome unknown`) : outcome))
    },
    {
      maxBatch: 256,
      maxInFlight: 4,
      timeoutMs: config.deadlinesMs.step,
      onTimeout: () => new Unknown(`${operation}: no answer in time`),
    },
  )
