import { z } from 'zod'
import { defineContract, operation } from '../../platform/contract/contract.js'
import { id, line } from '../../platform/contract/types.js'

/** What an account of the gateway's limits (a user, an address) has spent, in requests. */
const spent = z.array(z.strictObject({ account: z.string().max(100), weight: z.number().positive() }))

export const platform = defineContract('platform', {
  getStatus: operation({
    summary: 'How the system, or one domain, is doing, and what was checked to say so.',
    access: 'anyone',
    input: z.strictObject({ domain: line(50).optional() }),
    output: z.object({
      status: z.enum(['OK', 'DEGRADED', 'DOWN']),
      message: z.string(),
      version: z.string(),
      /** What each domain stands on, as its processes see it. `detail` is for people. */
      checks: z.array(z.object({ domain: z.string(), name: z.string(), ok: z.boolean(), detail: z.string() })),
      functions: z.array(z.object({ name: z.string(), instances: z.int() })),
    }),
    errors: ['invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  reportTrouble: operation({
    summary: 'For whoever watches: tells admins where getStatus was not OK, this time and the time before.',
    access: 'internal',
    input: z.strictObject({}),
    output: z.object({ told: z.int() }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  shareUse: operation({
    summary:
      'For gateway workers: takes what users and addresses spent there, answers what they spent at the others, and how many workers there are.',
    access: 'internal',
    input: z.strictObject({ worker: id, spent: spent.max(2000) }),
    output: z.object({ spent, workers: z.int() }),
    errors: [],
    deadline: 'quick',
    idempotent: false,
    key: () => 'use',
  }),
})
