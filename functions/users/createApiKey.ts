import mongoose from 'mongoose'
import { writeApiKey } from '../../platform/contract/apiKeys.js'
import { define } from '../../platform/runtime/function.js'
import { invalidInput } from '../../platform/runtime/invocation.js'
import { requestOf } from '../../platform/runtime/requests.js'
import { insertApiKey } from './apiKey.changes.js'
import { presentApiKey } from './apiKey.presenter.js'
import { users } from './contract.js'
import { userNotFound } from './user.access.js'
import { User } from './user.model.js'

export default define(users.createApiKey, async (ctx, input) => {
  const { apiKeyId, name, scopes, expiresAt, userId = ctx.caller?.userId } = input
  if (userId === undefined) throw invalidInput({ issues: [{ path: ['userId'], message: 'is needed here' }] })
  const user = await ctx.model(User).findById(userId, { _id: 1 }).lean()
  if (!user) throw userNotFound(userId)

  const { stored, secret } = await insertApiKey(ctx, {
    _id: new mongoose.Types.ObjectId(apiKeyId),
    userId: user._id,
    name,
    scopes: [...new Set(scopes)],
    request: requestOf(ctx, input),
    createdAt: ctx.now(),
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }),
  })
  return { apiKey: presentApiKey(stored), key: writeApiKey(apiKeyId, secret) }
})
