import { z } from 'zod'
import { backlogOperation } from '../../platform/contract/backlog.js'
import { defineContract, operation, subscriber } from '../../platform/contract/contract.js'
import { defineEvents } from '../../platform/contract/events.js'
import { id, time } from '../../platform/contract/types.js'

/** Where the timers stand, and what Agenda calls them: it runs them from there. */
export const EXPIRATIONS = 'expirations'
export const EXPIRE_ORDER = 'expire-order'

export const emits = defineEvents('expirations', {
  'expiration:complete': { when: 'The time to pay an order is over.', payload: z.object({ orderId: id }) },
})

declare module '../../platform/contract/events.js' {
  interface EmittedEvents {
    expirations: typeof emits
  }
}

export const expirations = defineContract('expirations', {
  startExpiration: subscriber({
    summary: 'Starts the timer of an order.',
    payload: z.object({ id, expiresAt: time }),
    subscribes: ['order:created'],
  }),
  completeExpiration: operation({
    summary: "For the timer of an order, when it is due: ends it, and emits expiration:complete. Once a timer's time.",
    access: 'internal',
    input: z.strictObject({ orderId: id }),
    output: z.object({ completed: z.boolean() }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
    key: ({ orderId }) => orderId,
  }),
  findParkedTimers: operation({
    summary: 'For auditBooks: orders whose timer failed 15 times, and waits for an admin.',
    access: 'internal',
    input: z.strictObject({}),
    output: z.object({ parked: z.array(id) }),
    errors: [],
    deadline: 'sweep',
    idempotent: true,
  }),
  reportStuckTimers: backlogOperation('which timers of orders are late, fail or are parked.'),
})
