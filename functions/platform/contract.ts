import { z } from 'zod'
import { defineContract, operation } from '../../platform/contract/contract.js'

export const platform = defineContract('platform', {
  getStatus: operation({
    summary: 'How the system, or one domain, is doing, and what was checked to say so.',
    access: 'anyone',
    input: z.strictObject({ domain: z.string().max(50).optional() }),
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
  }),
})
