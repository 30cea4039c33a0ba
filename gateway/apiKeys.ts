import { users } from '../functions/users/contract.js'
import { readApiKey } from '../platform/contract/apiKeys.js'
import { Refusal } from '../platform/contract/errors.js'
import type { TokenClaims } from '../platform/runtime/tokens.js'
import type { createSystemCall } from './systemCall.js'

const NEVER = new Date(8.64e15)
/** A key outlives its user's passwords: it has no version that could become old. */
const ANY_VERSION = Number.MAX_SAFE_INTEGER

/**
 * What an API key in a handshake stands for; null where it is no API key. Asked of the users domain at each handshake: a key
 * is not signed. Throws `unauthenticated` for one that is wrong, revoked or expired, and `unavailable` where nobody can say.
 */
export function createApiKeys(options: {
  call: ReturnType<typeof createSystemCall>
  now: () => Date
}): (token: string) => Promise<TokenClaims | null> {
  const { call, now } = options
  return async (token) => {
    const given = readApiKey(token)
    if (!given) return null
    const { holder } = await call(users.openApiKey, given)
    const expiresAt = holder?.expiresAt === undefined ? NEVER : new Date(holder.expiresAt)
    if (!holder || expiresAt <= now()) throw new Refusal('unauthenticated', 'The API key is not valid.')
    const { userId, role, scopes } = holder
    return { userId, role, tokenVersion: ANY_VERSION, expiresAt, apiKey: { id: given.apiKeyId, scopes } }
  }
}
