import { Refusal } from '../../platform/errors.js'
import type { Context } from '../../platform/function.js'

/**
 * Plain users see themselves alone. Others are not found, rather than forbidden, so that ids tell nothing: the same
 * answer as for a user who is not there.
 */
export function assertVisible({ caller }: Pick<Context, 'caller'>, userId: string): void {
  if (caller?.role === 'user' && caller.userId !== userId) throw userNotFound(userId)
}

export const userNotFound = (userId: string): Refusal => new Refusal('user_not_found', `There is no user ${userId}.`)
