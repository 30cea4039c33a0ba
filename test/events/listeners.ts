import { z } from 'zod'
import { defineContract, subscriber } from '../../platform/contract/contract.js'
import { defineEvents } from '../../platform/contract/events.js'

/** Events and subscribers that exist in the tests alone. */
const payload = z.record(z.string(), z.unknown())

export const things = defineEvents('bookings', {
  'thing:changed': { when: 'A test changed a thing.', payload },
  'other:changed': { when: 'A test changed another thing.', payload },
})

declare module '../../platform/contract/events.js' {
  interface EmittedEvents {
    things: typeof things
  }
}

const hears = { summary: 'Hears of things.', payload, errors: ['out_of_order'] } as const

export const listeners = defineContract('listeners', {
  hearThings: subscriber({ ...hears, subscribes: ['thing:changed'] }),
  hearAlso: subscriber({ ...hears, subscribes: ['thing:changed', 'other:changed'] }),
})
