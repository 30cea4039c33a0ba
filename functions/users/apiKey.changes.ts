import { randomBytes } from 'node:crypto'
import { Refusal } from '../../platform/contract/errors.js'
import { secretHashOf } from '../../platform/contract/apiKeys.js'
import type { Context } from '../../platform/runtime/function.js'
import { insertOnce } from '../../platform/runtime/insertOnce.js'
import { ApiKey, type ApiKeyDocument } from './apiKey.model.js'
import { User } from './user.model.js'

/** How precise `lastUsedAt` is: a busy key is not written at every look. */
const USED_MS = 60_000

/**
 * Stores a key with a new secret, and answers both. A crash before the insert leaves nothing, one after it a key whose secret
 * nobody knows. The same request again replaces that secret, by a compare-and-set, as long as the key was never used: so a
 * lost answer costs no key, and a key in use is never shown twice, nor changed by what lands late.
 */
export async function insertApiKey(
  ctx: Context,
  key: Omit<ApiKeyDocument, 'secretHash'>,
): Promise<{ stored: ApiKeyDocument; secret: string }> {
  const model = ctx.model(ApiKey)
  const secret = randomBytes(32).toString('base64url')
  const secretHash = secretHashOf(secret)
  const stored = await insertOnce(model, 'api_key', { ...key, secretHash }, (each) => each)
  if (stored.secretHash === secretHash) return { stored, secret }
  const unused = { lastUsedAt: { $exists: false }, revokedAt: { $exists: false } }
  const replaced = await model
    .findOneAndUpdate(
      { _id: key._id, secretHash: stored.secretHash, ...unused },
      { $set: { secretHash } },
      { returnDocument: 'after' },
    )
    .lean()
  if (!replaced) throw new Refusal('api_key_id_reused', 'The key of this id is in use, or revoked: it is shown once.')
  return { stored: replaced, secret }
}

/**
 * Revokes a key; the first time stands. By `accessChangedAt`, written first, gateway workers hear within a second that they
 * have to ask again, for some seconds, in which the key goes. A crash between the two revokes nothing, and nobody was told
 * that it did.
 */
export async function revoke(ctx: Context, { _id, userId }: ApiKeyDocument): Promise<ApiKeyDocument | null> {
  const model = ctx.model(ApiKey)
  await ctx.model(User).updateOne({ _id: userId }, { $currentDate: { accessChangedAt: true } })
  await model.updateOne({ _id, revokedAt: { $exists: false } }, { $set: { revokedAt: ctx.now() } })
  return model.findById(_id).lean()
}

/** Those of these keys that work, by id; notes that they are used. */
export async function liveApiKeys(ctx: Context, ids: readonly string[]): Promise<Map<string, ApiKeyDocument>> {
  if (ids.length === 0) return new Map()
  const model = ctx.model(ApiKey)
  const at = ctx.now()
  const found = await model.find({ _id: { $in: ids }, revokedAt: { $exists: false } }).lean()
  const live = found.filter(({ expiresAt }) => !expiresAt || expiresAt > at)
  const longAgo = live.filter(({ lastUsedAt }) => !lastUsedAt || at.getTime() - lastUsedAt.getTime() >= USED_MS)
  if (longAgo.length > 0) {
    await model.updateMany({ _id: { $in: longAgo.map(({ _id }) => _id) } }, { $max: { lastUsedAt: at } })
  }
  return new Map(live.map((key) => [key._id.toHexString(), key]))
}
