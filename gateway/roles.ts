import type { Config } from '../config/index.js'
import { users } from '../functions/users/contract.js'
import { coalesce } from '../platform/lib/coalesce.js'
import { Refusal } from '../platform/contract/errors.js'
import type { Caller } from '../platform/contract/caller.js'
import { tokenStateOf, type TokenClaims } from '../platform/runtime/tokens.js'
import type { createSystemCall } from './systemCall.js'

const MAX_BATCH = 1000
/** Two, so that a request never waits for more than one answer before its own lookup leaves. */
const MAX_IN_FLIGHT = 2

/** The role that a token holder has now; null where the token stopped working. Throws where nobody can say. */
export type LookUpRole = (claims: TokenClaims) => Promise<Caller['role'] | null>

/** Asks the users domain. A lookup always leaves after it was asked for; those that wait together share a call. */
export function createRoleLookup(options: {
  config: Pick<Config, 'deadlinesMs'>
  call: ReturnType<typeof createSystemCall>
}): LookUpRole {
  const { config, call } = options
  return coalesce<TokenClaims, Caller['role'] | null>(
    async (batch) => {
      return (await call(users.authenticate, { tokens: batch.map(tokenStateOf) })).roles
    },
    {
      maxBatch: MAX_BATCH,
      maxInFlight: MAX_IN_FLIGHT,
      timeoutMs: config.deadlinesMs.quick,
      onTimeout: () => new Refusal('unavailable', 'Could not look up who is calling.'),
    },
  )
}
