import { z } from 'zod'
import { defineContract, subscriber } from '../../../platform/contract/contract.js'

/** The subscriber that the benchmark of events delivers to. No part of the product. */
export const measured = defineContract('measured', {
  hearThing: subscriber({
    summary: 'Brings its copy of a thing up to the event.',
    payload: z.object({ sentAt: z.number(), text: z.string() }),
    errors: ['out_of_order'],
    subscribes: ['thing:changed'],
  }),
})
