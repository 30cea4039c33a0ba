import { timingSafeEqual } from 'node:crypto'
import { define } from '../../../platform/runtime/function.js'
import { liveApiKeys } from '../apiKey.changes.js'
import { users } from '../contract.js'
import { ApiKey } from '../apiKey.model.js'
import { User } from '../user.model.js'

export default define(users.openApiKey, async (ctx, { apiKeyId, secretHash }) => {
  const known = await ctx.model(ApiKey).findById(apiKeyId, { secretHash: 1 }).lean()
  if (!known || !isSame(known.secretHash, secretHash)) return { holder: null }
  // Its use is noted before it is answered: from then on nobody replaces its secret.
  const key = (await liveApiKeys(ctx, [apiKeyId])).get(apiKeyId)
  if (!key) return { holder: null }
  const user = await ctx.model(User).findById(key.userId, { role: 1 }).lean()
  if (!user) return { holder: null }
  const { scopes, expiresAt } = key
  return {
    holder: {
      userId: user._id.toHexString(),
      role: user.role,
      scopes: [...scopes],
      ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
    },
  }
})

const isSame = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
