import mongoose, { type Types } from 'mongoose'
import type { Context } from '../../platform/runtime/function.js'
import { idsIn, inParts, type Forgetful, type Memory } from '../../protocol/forgetting.js'
import { isFinal } from '../../protocol/states.js'
import { bookings } from '../bookings/contract.js'
import { payments } from '../payments/contract.js'
import { TRANSFER_KINDS } from './transfer.kinds.js'
import { PLACE_FIELDS, User, type TransferMark, type UserDocument } from './user.model.js'

/**
 * What a user's document remembers of bookings, payments and transfers, and when it may forget, by the rules of
 * protocol/forgetting.ts. Of its own: of bookings, only what has ended is dropped, because users look at their upcoming
 * ones; a user who knows of anything that is not final, also a transfer, waits for the next sweep. So does one with an
 * outstanding booking that has left no trace here yet (a user has one at a time, and none begins while it is outstanding,
 * so it is the newest), and with an outstanding payment from before the mark, made or to be received. (A transfer that
 * has left no trace yet is renewed.)
 */

export const MARKER_FIELDS = {
  ...PLACE_FIELDS,
  transfers: 1,
  voidedTransfers: 1,
} as const

export type Marked = Pick<UserDocument, '_id' | keyof typeof MARKER_FIELDS>

/** Clients choose the ids of bookings, so the same one may stand for a payment too: each has places of its own. */
const memoriesOf = (ctx: Context): Memory<never>[] => [
  {
    places: { active: 'bookings', pending: 'pendingBookings', tombstones: 'tombstones' },
    settled: (ids, before) =>
      inParts(ids, async (bookingIds) => {
        const { settled } = await ctx.call(bookings.findSettledBookings, { bookingIds, ...bound(before) })
        return settled
      }),
  },
  {
    places: { active: 'payments', pending: 'pendingPayments', tombstones: 'paymentTombstones' },
    settled: (ids, before) =>
      inParts(ids, async (paymentIds) => {
        const { settled } = await ctx.call(payments.findSettledPayments, { paymentIds, ...bound(before) })
        return settled
      }),
  },
]

const AT_ONCE = 8

const bound = (before: Date | undefined) => before && { before: before.toISOString() }

/** How a page of users forgets. */
export async function forgetfulUsers(ctx: Context, page: readonly Marked[]): Promise<Forgetful<Marked>> {
  const memories = memoriesOf(ctx)
  const transfers = await transfersOf(ctx, page)
  return {
    collection: ctx.model(User).collection,
    memories,
    async waiting(users, mark) {
      const paying = await inParts(
        users.map(({ _id }) => _id.toHexString()),
        async (userIds) =>
          (await ctx.call(payments.findSettledPayments, { userIds, before: mark.toISOString() })).outstanding,
      )
      const finals = await Promise.all(memories.map((memory) => memory.settled(idsIn(users, memory))))
      const waiting = new Set<string>()
      const queue = users.values()
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (const user of queue) {
            const isOpen =
              paying.has(user._id.toHexString()) ||
              transferMarks(user).some((each) => !transfers.get(each)?.final) ||
              memories.some((memory, i) => idsIn([user], memory).some((each) => !finals[i]?.has(each))) ||
              (await hasOutstanding(ctx, user))
            if (isOpen) waiting.add(user._id.toHexString())
          }
        }),
      )
      return waiting
    },
    alsoDrop(user, mark) {
      const old = (marks: TransferMark[]) => marks.filter((each) => (transfers.get(each)?.createdAt ?? mark) < mark)
      return { transfers: old(user.transfers), voidedTransfers: old(user.voidedTransfers) }
    },
  }
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

const transferMarks = (user: Marked): TransferMark[] => [...user.transfers, ...user.voidedTransfers]
