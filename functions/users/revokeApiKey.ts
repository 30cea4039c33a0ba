import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { revoke } from './apiKey.changes.js'
import { ApiKey } from './apiKey.model.js'
import { presentApiKey } from './apiKey.presenter.js'
import { users } from './contract.js'

export default define(users.revokeApiKey, async (ctx, { apiKeyId }) => {
  const key = await ctx.model(ApiKey).findById(apiKeyId).lean()
  if (!key) throw new Refusal('api_key_not_found', `There is no API key ${apiKeyId}.`)
  return presentApiKey((await revoke(ctx, key)) ?? key)
})
