import type { Output } from '../../platform/contract/contract.js'
import type { ApiKeyDocument } from './apiKey.model.js'
import type { users } from './contract.js'

/** Never its secret, nor the hash of it. */
export const presentApiKey = (key: ApiKeyDocument): Output<typeof users.revokeApiKey> => ({
  id: key._id.toHexString(),
  userId: key.userId.toHexString(),
  name: key.name,
  scopes: [...key.scopes],
  createdAt: key.createdAt.toISOString(),
  ...(key.expiresAt && { expiresAt: key.expiresAt.toISOString() }),
  ...(key.lastUsedAt && { lastUsedAt: key.lastUsedAt.toISOString() }),
  ...(key.revokedAt && { revokedAt: key.revokedAt.toISOString() }),
})
