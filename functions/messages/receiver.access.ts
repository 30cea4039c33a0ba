import { LRUCache } from 'lru-cache'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { users } from '../users/contract.js'

/** Users are never removed: whoever was there once is. */
const knownUsers = (): LRUCache<string, true> => new LRUCache({ max: 100_000 })

/** Throws `user_not_found`. */
export async function assertUser(ctx: Context, userId: string): Promise<void> {
  const known = ctx.use(knownUsers)
  if (known.has(userId)) return
  const { existing } = await ctx.call(users.findExistingUsers, { userIds: [userId] })
  if (!existing.includes(userId)) throw new Refusal('user_not_found', `There is no user ${userId}.`)
  known.set(userId, true)
}
