import { createHash } from 'node:crypto'
import type { Operation } from './contract.js'

/** An API key, `hfk.<id>.<secret>`. The secret is 32 random bytes, of which only a hash is stored. */
const API_KEY = /^hfk\.([0-9a-f]{24})\.([\w-]{43})$/

export const writeApiKey = (apiKeyId: string, secret: string): string => `hfk.${apiKeyId}.${secret}`

/** null: it is none, perhaps a token. */
export function readApiKey(text: string): { apiKeyId: string; secretHash: string } | null {
  const [, apiKeyId, secret] = API_KEY.exec(text) ?? []
  return apiKeyId !== undefined && secret !== undefined ? { apiKeyId, secretHash: secretHashOf(secret) } : null
}

/** A hash of 32 random bytes needs no salt, and nobody guesses them however fast it is. */
export const secretHashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

/** Whether scopes let an operation through: `<domain>:read` what only reads, `<domain>:write` all of the domain. */
export const coveredBy = (
  scopes: readonly string[],
  { domain, reads, personal }: Pick<Operation, 'domain' | 'reads' | 'personal'>,
): boolean => !personal && (scopes.includes(`${domain}:write`) || (reads === true && scopes.includes(`${domain}:read`)))
