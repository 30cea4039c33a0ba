import { LRUCache } from 'lru-cache'
import mongoose, { type Types } from 'mongoose'
import type { Alongside } from '../../platform/logs/appendLog.js'
import { unlessTaken } from '../../platform/database/bulkErrors.js'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { users } from '../users/contract.js'
import type { Invitation } from './bookingLog.model.js'
import type { CalendarSide } from './calendar.model.js'
import { monthsOf, type CalendarPeriod } from './period.rules.js'
import { CalendarHead, type CalendarHeadDocument } from './calendarHead.model.js'

/** What an entry changes in a user's head, and what must hold there for it; all in the transaction that appends it. */
export interface HeadChange {
  userId: Types.ObjectId
  guard?: Record<string, unknown>
  change: Record<string, Record<string, unknown>>
  /** Of the guard; a guard without one can't fail. */
  refusal?: { code: 'seller_unavailable' | 'calendar_full'; message: string }
}

/** A view's document holds a month, and must stay well under the 16 MB that a document may have. */
const MAX_LISTED_A_MONTH = 1000
/** Also where nothing was counted yet. */
const NOT_FULL = { $not: { $gte: MAX_LISTED_A_MONTH } }
const MAX_KNOWN = 100_000

export const alongside =
  (ctx: Context, changes: readonly HeadChange[]): Alongside =>
  async (session) => {
    for (const { userId, guard, change, refusal } of changes) {
      const { matchedCount } = await ctx
        .model(CalendarHead)
        .collection.updateOne({ _id: userId, ...guard }, change, { session })
      if (matchedCount === 1) continue
      if (refusal) throw new Refusal(refusal.code, refusal.message)
      throw new Error(`The head of ${userId.toHexString()} does not fit its log`)
    }
  }

/** Counts the invitation in the months that it begins to stand in, and no more in those that it leaves. */
export function listing(
  { sellerId, buyerId }: Pick<Invitation, 'sellerId' | 'buyerId'>,
  { before, after }: { before?: CalendarPeriod; after?: CalendarPeriod },
): HeadChange[] {
  const left = before ? monthsOf(before) : []
  const entered = after ? monthsOf(after) : []
  const added = entered.filter((month) => !left.includes(month))
  const removed = left.filter((month) => !entered.includes(month))
  if (added.length + removed.length === 0) return []
  const sides: [CalendarSide, Types.ObjectId][] = [
    ['seller', sellerId],
    ['buyer', buyerId],
  ]
  return sides.map(([side, userId]) => ({
    userId,
    guard: Object.fromEntries(added.map((month): [string, unknown] => [`live.${side}.${month}`, NOT_FULL])),
    change: {
      $inc: Object.fromEntries([
        ...added.map((month): [string, unknown] => [`live.${side}.${month}`, 1]),
        ...removed.map((month): [string, unknown] => [`live.${side}.${month}`, -1]),
      ]),
    },
    refusal: {
      code: 'calendar_full',
      message: `The ${side}'s calendar lists ${MAX_LISTED_A_MONTH} invitations in a month of the period.`,
    },
  }))
}

/**
 * Takes the period for the invitation, unless another one holds an overlapping one: the guard of "no two confirmed
 * bookings of one seller overlap". All holds of a seller are in one document, so of two transactions that would both
 * pass, one meets the other's write and runs again.
 */
export const holding = (
  invitationId: Types.ObjectId,
  { sellerId, from, to }: Pick<Invitation, 'sellerId' | 'from' | 'to'>,
): HeadChange => ({
  userId: sellerId,
  guard: {
    // Periods are half-open: one may begin when another ends.
    $nor: [{ holds: { $elemMatch: { from: { $lt: to }, to: { $gt: from } } } }],
    forgottenBefore: { $lte: from },
  },
  change: { $push: { holds: { invitationId, from, to } } },
  refusal: { code: 'seller_unavailable', message: 'Another confirmed booking of the seller overlaps the period.' },
})

/** The period is free again. One that ended long ago may be forgotten already. */
export const freeing = (invitationId: Types.ObjectId, { sellerId }: Pick<Invitation, 'sellerId'>): HeadChange => ({
  userId: sellerId,
  change: { $pull: { holds: { invitationId } } },
})

/** A payment of the invitation begins: from now on recovery looks after it. */
export const settling = (
  invitationId: Types.ObjectId,
  { sellerId }: Pick<Invitation, 'sellerId'>,
  since: Date,
): HeadChange => ({
  userId: sellerId,
  guard: { 'settling.invitationId': { $ne: invitationId } },
  change: { $push: { settling: { invitationId, since } } },
})

/** The payment is final. */
export const settled = (invitationId: Types.ObjectId, { sellerId }: Pick<Invitation, 'sellerId'>): HeadChange => ({
  userId: sellerId,
  guard: { 'settling.invitationId': invitationId },
  change: { $pull: { settling: { invitationId } } },
})

/** Users whose heads stand; nobody is ever removed. */
const knownHeads = (): LRUCache<string, true> => new LRUCache({ max: MAX_KNOWN })

/** Makes the heads of users who have none yet. Throws `user_not_found`. */
export async function ensureHeads(ctx: Context, userIds: readonly string[]): Promise<void> {
  const known = ctx.use(knownHeads)
  const missing = userIds.filter((each) => !known.has(each))
  if (missing.length === 0) return
  const { existing } = await ctx.call(users.findExistingUsers, { userIds: missing })
  const nobody = missing.find((each) => !existing.includes(each))
  if (nobody) throw new Refusal('user_not_found', `There is no user ${nobody}.`)
  for (const each of missing) {
    const fresh: Omit<CalendarHeadDocument, '_id'> = {
      holds: [],
      settling: [],
      forgottenBefore: new Date(0),
      live: { seller: {}, buyer: {} },
    }
    const heads = ctx.model(CalendarHead).collection
    const _id = new mongoose.Types.ObjectId(each)
    // Two may make it at once.
    await unlessTaken(heads.updateOne({ _id }, { $setOnInsert: fresh }, { upsert: true }))
    known.set(each, true)
  }
}
