import { LRUCache } from 'lru-cache'
import type { Output } from '../../platform/contract/contract.js'
import { coalesce } from '../../platform/lib/coalesce.js'
import type { Context } from '../../platform/runtime/function.js'
import { sharedTrips } from '../../platform/runtime/sharedTrips.js'
import type { System } from '../../platform/runtime/system.js'
import { users } from '../users/contract.js'
import { assertRemembersMore } from './memory.rules.js'

/** What a user could spend now; null where there is no such user. */
type Funds = Output<typeof users.findFunds>['funds'][number]

/**
 * So often at most, who has paid all that they booked is looked at: the guard in the user's apply decides anyway. Meanwhile
 * what the user's document remembers grows by a megabyte or two of the fifteen that are left (memory.rules.ts).
 */
const LOOK_EVERY_MS = 600_000
const MAX_REMEMBERED = 50_000

/** Of those who book: what was seen of them a moment ago. */
export function payers(system: System) {
  const find = coalesce<string, Funds>(
    async (userIds) =>
      (await system.call(users.findFunds, { userIds }, { caller: null, requestId: system.newId() })).funds,
    sharedTrips(system, 'The users'),
  )
  const lookedAtMs = new LRUCache<string, number>({ max: MAX_REMEMBERED })
  const nowMs = () => system.now().getTime()

  return {
    /** Null: there is no such user. Undefined: known to be there, and to have paid what they booked of late. */
    async look(userId: string): Promise<Funds | undefined> {
      const lookedMs = lookedAtMs.get(userId)
      return lookedMs !== undefined && nowMs() < lookedMs + LOOK_EVERY_MS ? undefined : find(userId)
    },
    couldPay: (userId: string): void => void lookedAtMs.set(userId, nowMs()),
    couldNotPay: (userId: string): void => void lookedAtMs.delete(userId),
  }
}

/**
 * Whether the user could pay, as far as is known before anything is held: so nobody holds what they can't pay. Money that
 * something undecided holds may come back: then the booking's own steps decide.
 */
export function couldPay(ctx: Context, userId: string, funds: NonNullable<Funds>, cost: number): boolean {
  if (cost > funds.balance) return funds.undecided
  assertRemembersMore(ctx, 'user', funds.bytes)
  ctx.use(payers).couldPay(userId)
  return true
}
