import type { z } from 'zod'
import { onTheWire, type StoredEvent } from '../../platform/events/events.js'
import type { deadEvent } from './contract.js'

export const presentDeadEvent = (event: StoredEvent): z.output<typeof deadEvent> => {
  const { payload, ...rest } = onTheWire(event)
  return {
    ...rest,
    payload: payload as Record<string, unknown>,
    failures: event.failures.map(({ at, ...failure }) => ({ ...failure, at: at.toISOString() })),
    deadAt: (event.deadAt as Date).toISOString(),
  }
}
