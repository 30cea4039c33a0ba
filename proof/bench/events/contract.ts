import { z } from 'zod'
import { defineContract, subscriber } from '../../../platform/contract/contract.js'
import { defineEvents } from '../../../platform/contract/events.js'

const said = z.object({ sentAt: z.number(), text: z.string() })

/** What the benchmark of events emits, in the database of bookings. No part of the product. */
export const measurements = defineEvents('bookings', {
  'measured:changed': { when: 'The benchmark changed a thing.', payload: said },
})

declare module '../../../platform/contract/events.js' {
  interface EmittedEvents {
    measured: typeof measurements
  }
}

/** The subscriber that they are delivered to. */
export const measured = defineContract('measured', {
  hearThing: subscriber({
    summary: 'Brings its copy of a thing up to the event.',
    payload: said,
    errors: ['out_of_order'],
    subscribes: ['measured:changed'],
  }),
})
