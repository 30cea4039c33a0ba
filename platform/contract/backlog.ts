import { z } from 'zod'
import { operation } from './contract.js'

/** Of one domain, for getStatus: what it looks after, whether that is as it should be, and a sentence for people. */
export const backlog = z.object({
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
})
export type Backlog = z.output<typeof backlog>

/** An operation that tells what waits in its domain. It reads a bounded number of documents by an index. */
export const backlogOperation = (summary: string) =>
  operation({
    summary: `For getStatus: ${summary}`,
    access: 'internal',
    input: z.strictObject({}),
    output: backlog,
    errors: [],
    deadline: 'quick',
    idempotent: true,
  })
