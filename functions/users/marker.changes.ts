import mongoose, { type Types } from 'mongoose'
import type { Context } from '../../platform/runtime/function.js'
import { isFinal } from '../../protocol/states.js'
import { bookings } from '../bookings/contract.js'
import { payments } from '../payments/contract.js'
import { TRANSFER_KINDS } from './transfer.kinds.js'
import { PLACE_FIELDS, User, type TransferMark, type UserDocument } from './user.model.js'

/**
 * What a user's document remembers of bookings, payments and transfers, and when it may forget.
 *
 * A remembered id fences off the late writes of its booking, payment or transfer. Dropping it is safe only because the same
 * update raises `forgottenBefore` above its createdAt, which every apply, void and reversal carries in its filter. So:
 *
 * - Dropped is only what is final, seen with majority after the user was read: what is final never changes. Something
 *   that is not final still needs its mark, to learn that it was applied.
 * - Dropped is only what was created before the new mark; of bookings, what has ended before it too, because users look
 *   at their upcoming ones. What stays in its place may be older than the mark or newer: it is still fenced by its place.
 * - The mark must not pass anything of the user that is not final: an apply that it refuses would be void, and a
 *   reversal, which cannot be refused, would never end. Ids that are in the document and not final make the user wait
 *   for the next sweep; so does an outstanding booking that has left no trace here yet (a user has one at a time, and
 *   none begins while it is outstanding, so it is the newest), and an outstanding payment from before the mark, made or
 *   to be received. (A transfer that has left no trace yet is renewed.)
 * - What begins between these looks and the update is younger than the mark, by REMEMBER_MS. Where it is not, because a
 *   process stood still or a clock is wrong by so much, the mark refuses it. That costs an answer, never money.
 */
const REMEMBER_MS = 24 * 3_600_000

/** What the engines drive, each kind with the three places that it has in a user's document. */
const KINDS = ['bookings', 'payments'] as const
type Kind = (typeof KINDS)[number]

const PLACES = {
  bookings: { active: 'bookings', pending: 'pendingBookings', tombstones: 'tombstones' },
  payments: { active: 'payments', pending: 'pendingPayments', tombstones: 'paymentTombstones' },
} as const

export const MARKER_FIELDS = {
  ...PLACE_FIELDS,
  transfers: 1,
  voidedTransfers: 1,
} as const

export type Marked = Pick<UserDocument, '_id' | keyof typeof MARKER_FIELDS>

/** Ids by kind: clients choose those of bookings, so the same one may stand for a payment too. */
export type MarkedIds = Record<Kind, ReadonlySet<string>>

const MAX_IDS_PER_CALL = 1000
const AT_ONCE = 8

/** Which of the bookings and payments that these users know are final. */
export const finalOf = (ctx: Context, page: readonly Marked[]): Promise<MarkedIds> => settledOf(ctx, page)

/** Removes leftover pending markers; answers how many. */
export async function clearFinal(ctx: Context, page: readonly Marked[], final: MarkedIds): Promise<number> {
  const garbage = page.flatMap((user) =>
    KINDS.flatMap((kind) => {
      const { pending } = PLACES[kind]
      const ids = (user[pending] ?? []).filter((each) => final[kind].has(each.toHexString()))
      return ids.length > 0 ? [{ _id: user._id, pending, ids }] : []
    }),
  )
  if (garbage.length === 0) return 0
  await ctx.model(User).bulkWrite(
    garbage.map(({ _id, pending, ids }) => ({
      updateOne: { filter: { _id }, update: { $pull: { [pending]: { $in: ids } } } },
    })),
    { ordered: false },
  )
  return garbage.reduce((sum, { ids }) => sum + ids.length, 0)
}

/** Drops what is final and older than the mark, for users who have nothing older that is not; answers how many ids. */
export async function forgetOld(ctx: Context, page: readonly Marked[], final: MarkedIds): Promise<number> {
  const mark = new Date(ctx.now().getTime() - REMEMBER_MS)
  const transfers = await transfersOf(ctx, page)
  const quiet = page.filter(
    (user) =>
      KINDS.every((kind) => idsOf(user, kind).every((each) => final[kind].has(each))) &&
      transferMarks(user).every((each) => transfers.get(each)?.final),
  )
  const old = await settledOf(ctx, quiet, mark)
  const paying = await withOldPayments(ctx, quiet, mark)
  const queue = quiet.values()
  let forgotten = 0
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const user of queue) {
        const dropped = KINDS.map((kind) => ({ kind, ids: idsOf(user, kind).filter((each) => old[kind].has(each)) }))
        const marks = transferMarks(user).filter((each) => (transfers.get(each)?.createdAt ?? mark) < mark)
        const count = dropped.reduce((sum, { ids }) => sum + ids.length, marks.length)
        if (count === 0 || paying.has(user._id.toHexString()) || (await hasOutstanding(ctx, user))) continue
        await ctx.model(User).updateOne(
          { _id: user._id },
          {
            $max: { forgottenBefore: mark },
            $pull: {
              ...Object.fromEntries(dropped.flatMap((each) => Object.entries(pullIds(each)))),
              transfers: { $in: marks },
              voidedTransfers: { $in: marks },
            },
          },
        )
        forgotten += count
      }
    }),
  )
  return forgotten
}

function pullIds({ kind, ids }: { kind: Kind; ids: string[] }): Record<string, { $in: Types.ObjectId[] }> {
  const $in = ids.map((each) => new mongoose.Types.ObjectId(each))
  return Object.fromEntries(Object.values(PLACES[kind]).map((place) => [place, { $in }]))
}

/** Final ones among those that these users know, of all ages or over before a time; their domains know. */
async function settledOf(ctx: Context, page: readonly Marked[], before?: Date): Promise<MarkedIds> {
  const bound = before && { before: before.toISOString() }
  return {
    bookings: await inParts(idsOfAll(page, 'bookings'), (bookingIds) =>
      ctx.call(bookings.findSettledBookings, { bookingIds, ...bound }).then(({ settled }) => settled),
    ),
    payments: await inParts(idsOfAll(page, 'payments'), (paymentIds) =>
      ctx.call(payments.findSettledPayments, { paymentIds, ...bound }).then(({ settled }) => settled),
    ),
  }
}

/** Who of these users has a payment from before the mark that is not final, whether or not they know of it yet. */
const withOldPayments = (ctx: Context, page: readonly Marked[], mark: Date): Promise<ReadonlySet<string>> =>
  inParts(
    page.map(({ _id }) => _id.toHexString()),
    (userIds) =>
      ctx
        .call(payments.findSettledPayments, { userIds, before: mark.toISOString() })
        .then(({ outstanding }) => outstanding),
  )

async function inParts(ids: string[], ask: (ids: string[]) => Promise<string[]>): Promise<ReadonlySet<string>> {
  const unique = [...new Set(ids)]
  const found = new Set<string>()
  for (let i = 0; i < unique.length; i += MAX_IDS_PER_CALL) {
    for (const each of await ask(unique.slice(i, i + MAX_IDS_PER_CALL))) found.add(each)
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

const idsOf = (user: Marked, kind: Kind): string[] => [
  ...new Set(Object.values(PLACES[kind]).flatMap((place) => (user[place] ?? []).map((each) => each.toHexString()))),
]

const idsOfAll = (page: readonly Marked[], kind: Kind): string[] => page.flatMap((user) => idsOf(user, kind))

const transferMarks = (user: Marked): TransferMark[] => [...user.transfers, ...user.voidedTransfers]
