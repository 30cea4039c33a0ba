import { z } from 'zod'
import { defineContract, operation } from '../../platform/contract.js'

export const platform = defineContract('platform', {
  getStatus: operation({
    summary: 'How the system, or one domain, is doing.',
    access: 'anyone',
    input: z.strictObject({ domain: z.string().max(50).optional() }),
    output: z.object({
      status: z.enum(['OK', 'DEGRADED', 'DOWN']),
      message: z.string(),
      version: z.string(),
      functions: z.array(z.object({ name: z.string(), instances: z.int() })),
    }),
    errors: ['invalid_input'],
    deadline: 'quick',
    idempotent: true,
  }),
})
