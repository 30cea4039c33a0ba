import type { Config } from '../config/index.js'
import { users } from '../functions/users/contract.js'
import { coalesce } from '../platform/coalesce.js'
import type { Output } from '../platform/contract.js'
import { Refusal } from '../platform/errors.js'
import type { Caller } from '../platform/function.js'
import { fullName } from '../platform/invocation.js'
import type { TokenClaims } from '../platform/tokens.js'
import type { Transport } from '../platform/transport.js'

const MAX_BATCH = 1000
/** Two, so that a request never waits for more than one answer before its own lookup leaves. */
const MAX_IN_FLIGHT = 2

/** The role that a token holder has now; null where the token stopped working. Throws where nobody can say. */
export type LookUpRole = (claims: TokenClaims) => Promise<Caller['role'] | null>

/**
 * Asks the users domain at every request, so that a changed role or password bites at the next one. A lookup always
 * leaves after its request has arrived; those that wait together share one call.
 */
export function createRoleLookup(options: {
  config: Pick<Config, 'deadlinesMs'>
  request: Transport['request']
  newId: () => string
}): LookUpRole {
  const timeoutMs = options.config.deadlinesMs.quick
  return coalesce<TokenClaims, Caller['role'] | null>(
    async (batch) => {
      const result = await options.request(
        {
          operation: fullName(users.authenticate),
          input: { tokens: batch.map(({ userId, tokenVersion }) => ({ userId, tokenVersion })) },
          caller: null,
          requestId: options.newId(),
          ttlMs: timeoutMs,
        },
        { idempotent: users.authenticate.idempotent },
      )
      if (result.ok) return (result.data as Output<typeof users.authenticate>).roles
      const { code, message, details } = result.error
      throw new Refusal(code, message, details)
    },
    {
      maxBatch: MAX_BATCH,
      maxInFlight: MAX_IN_FLIGHT,
      timeoutMs,
      onTimeout: () => new Refusal('unavailable', 'Could not look up who is calling.'),
    },
  )
}
