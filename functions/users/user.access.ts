import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { User } from './user.model.js'
import { USER_FIELDS, type VisibleUser } from './user.presenter.js'

/**
 * Plain users see themselves alone. Others are not found, rather than forbidden, so that ids tell nothing: the same
 * answer as for a user who is not there.
 */
export function assertVisible({ caller }: Pick<Context, 'caller'>, userId: string): void {
  if (caller?.role === 'user' && caller.userId !== userId) throw userNotFound(userId)
}

export const userNotFound = (userId: string): Refusal => new Refusal('user_not_found', `There is no user ${userId}.`)

/** A user as the caller may see them; throws `user_not_found`. */
export async function readUser(ctx: Context, userId: string): Promise<VisibleUser> {
  assertVisible(ctx, userId)
  const user = await ctx.model(User).findById(userId, USER_FIELDS).lean()
  if (!user) throw userNotFound(userId)
  return user
}
