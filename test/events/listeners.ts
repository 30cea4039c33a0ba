import { z } from 'zod'
import { defineContract, subscriber } from '../../platform/contract/contract.js'

/** Subscribers that exist in the tests alone. */
const subscription = (types: readonly string[]) =>
  subscriber({
    summary: 'Hears of things.',
    payload: z.record(z.string(), z.unknown()),
    errors: ['out_of_order'],
    subscribes: types,
  })

export const listeners = defineContract('listeners', {
  hearThings: subscription(['thing:changed']),
  hearAlso: subscription(['thing:changed', 'other:changed']),
})
