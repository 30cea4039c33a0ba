import mongoose, { type Types } from 'mongoose'
import type { Context } from '../../platform/function.js'
import { isFinal } from '../../protocol/states.js'
import { bookings } from '../bookings/contract.js'
import { TRANSFER_KINDS } from './transfer.kinds.js'
import { User, type TransferMark, type UserDocument } from './user.model.js'

/**
 * What a user's document remembers of bookings and transfers, and when it may forget.
 *
 * A remembered id fences off the late writes of its booking or transfer. Dropping it is safe only because the same
 * update raises `forgottenBefore` above its createdAt, which every apply, void and reversal carries in its filter. So:
 *
 * - Dropped is only what is final, seen with majority after the user was read: what is final never changes. Something
 *   that is not final still needs its mark, to learn that it was applied.
 * - Dropped is only what was created before the new mark; of bookings, what has ended before it too, because users look
 *   at their upcoming ones. What stays in its place may be older than the mark or newer: it is still fenced by its place.
 * - The mark must not pass anything of the user that is not final: an apply that it refuses would be void, and a
 *   reversal, which cannot be refused, would never end. Ids that are in the document and not final make the user wait
 *   for the next sweep; so does an outstanding booking that has left no trace here yet. A user has one at a time, and
 *   none begins while it is outstanding, so it is the newest. (A transfer that has left no trace yet is renewed.)
 * - What begins between these looks and the update is younger than the mark, by REMEMBER_MS. Where it is not, because a
 *   process stood still or a clock is wrong by so much, the mark refuses it. That costs an answer, never money.
 */
const REMEMBER_MS = 24 * 3_600_000

export const MARKER_FIELDS = {
  bookings: 1,
  pendingBookings: 1,
  tombstones: 1,
  transfers: 1,
  voidedTransfers: 1,
} as const

export type Marked = Pick<UserDocument, '_id' | keyof typeof MARKER_FIELDS>

const MAX_IDS_PER_CALL = 1000
const AT_ONCE = 8

/** Which of the bookings that these users know are final. */
export const finalBookings = (ctx: Context, page: readonly Marked[]): Promise<Set<string>> =>
  settled(ctx, page.flatMap(bookingIds))

/** Removes leftover pending markers; answers how many. */
export async function clearFinal(ctx: Context, page: readonly Marked[], final: Set<string>): Promise<number> {
  const garbage = page.flatMap(({ _id, pendingBookings }) => {
    const ids = pendingBookings.filter((each) => final.has(each.toHexString()))
    return ids.length > 0 ? [{ _id, ids }] : []
  })
  if (garbage.length === 0) return 0
  await ctx.model(User).bulkWrite(
    garbage.map(({ _id, ids }) => ({
      updateOne: { filter: { _id }, update: { $pull: { pendingBookings: { $in: ids } } } },
    })),
    { ordered: false },
  )
  return garbage.reduce((sum, { ids }) => sum + ids.length, 0)
}

/** Drops what is final and older than the mark, for users who have nothing older that is not; answers how many ids. */
export async function forgetOld(ctx: Context, page: readonly Marked[], final: Set<string>): Promise<number> {
  const mark = new Date(ctx.now().getTime() - REMEMBER_MS)
  const transfers = await transfersOf(ctx, page)
  const quiet = page.filter(
    (user) =>
      bookingIds(user).every((each) => final.has(each)) &&
      transferMarks(user).every((each) => transfers.get(each)?.final),
  )
  const oldBookings = await settled(ctx, quiet.flatMap(bookingIds), mark)
  const queue = quiet.values()
  let forgotten = 0
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const user of queue) {
        const ids = bookingIds(user).filter((each) => oldBookings.has(each))
        const marks = transferMarks(user).filter((each) => (transfers.get(each)?.createdAt ?? mark) < mark)
        if (ids.length + marks.length === 0 || (await hasOutstanding(ctx, user))) continue
        const objectIds = ids.map((each) => new mongoose.Types.ObjectId(each))
        await ctx.model(User).updateOne(
          { _id: user._id },
          {
            $max: { forgottenBefore: mark },
            $pull: {
              bookings: { $in: objectIds },
              pendingBookings: { $in: objectIds },
              tombstones: { $in: objectIds },
              transfers: { $in: marks },
              voidedTransfers: { $in: marks },
            },
          },
        )
        forgotten += ids.length + marks.length
      }
    }),
  )
  return forgotten
}

/** Final bookings among these, of all ages or over before a time; the bookings domain knows. */
async function settled(ctx: Context, ids: string[], before?: Date): Promise<Set<string>> {
  const unique = [...new Set(ids)]
  const found = new Set<string>()
  for (let i = 0; i < unique.length; i += MAX_IDS_PER_CALL) {
    const answer = await ctx.call(bookings.settledBookings, {
      bookingIds: unique.slice(i, i + MAX_IDS_PER_CALL),
      ...(before && { before: before.toISOString() }),
    })
    for (const each of answer.settled) found.add(each)
  }
  return found
}

async function hasOutstanding(ctx: Context, user: Marked): Promise<boolean> {
  const { items } = await ctx.call(bookings.listBookings, { userId: user._id.toHexString(), limit: 1 })
  return items.some(({ state }) => !isFinal(state))
}

/** The records behind the marks of these users. */
async function transfersOf(
  ctx: Context,
  page: readonly Marked[],
): Promise<Map<TransferMark, { final: boolean; createdAt: Date }>> {
  const known = new Map<TransferMark, { final: boolean; createdAt: Date }>()
  for (const kind of TRANSFER_KINDS) {
    const prefix = `${kind.name}:` as const
    const ids = page
      .flatMap(transferMarks)
      .flatMap((mark): Types.ObjectId[] =>
        mark.startsWith(prefix) ? [new mongoose.Types.ObjectId(mark.slice(prefix.length))] : [],
      )
    const records = await ctx
      .model(kind.model)
      .find({ _id: { $in: ids } }, { state: 1, createdAt: 1 })
      .lean()
    for (const { _id, state, createdAt } of records) {
      known.set(`${prefix}${_id.toHexString()}`, { final: state !== 'PENDING', createdAt })
    }
  }
  return known
}

const bookingIds = (user: Marked): string[] => [
  ...new Set([...user.bookings, ...user.pendingBookings, ...user.tombstones].map((each) => each.toHexString())),
]

const transferMarks = (user: Marked): TransferMark[] => [...user.transfers, ...user.voidedTransfers]
