import mongoose from 'mongoose'
import { define, type Context } from '../../../platform/runtime/function.js'
import { pageOf } from '../../../platform/runtime/pages.js'
import { users } from '../contract.js'
import { bookingChanges, findingsOf, paymentChanges, type UserToAudit, type Finding } from '../user.audit.js'
import { readBooks } from '../books.audit.js'
import { TRANSFER_KINDS } from '../transfer.kinds.js'
import { User } from '../user.model.js'

export default define(users.auditUsers, async (ctx, { userIds, limit, cursor }) => {
  const { ids, nextCursor } = userIds
    ? { ids: userIds.map((each) => new mongoose.Types.ObjectId(each)), nextCursor: null }
    : await nextIds(ctx, { limit, cursor })

  const audited = (await readBooks(ctx, ids)).map((user) => ({ user, findings: findingsOf(user) }))
  const confirmed = await lookAgain(ctx, audited)
  const parked = await parkedTransfers(ctx, ids)
  return {
    items: audited.map(({ user }) => ({
      id: user._id.toHexString(),
      balance: user.balance,
      bookings: hex(user.bookings),
      pendingBookings: hex(user.pendingBookings),
      tombstones: hex(user.tombstones),
      payments: hex(user.payments),
      pendingPayments: hex(user.pendingPayments),
      paymentTombstones: hex(user.paymentTombstones),
      forgottenBefore: user.forgottenBefore.toISOString(),
      changes: bookingChanges(user),
      paymentChanges: paymentChanges(user),
      violations: confirmed.get(user._id.toHexString()) ?? [],
      parkedTransfers: parked.flatMap((each) => (each.userId.equals(user._id) ? [each._id.toHexString()] : [])),
    })),
    nextCursor,
  }
})

async function nextIds(ctx: Context, page: { limit: number; cursor?: string | undefined }) {
  const { documents, nextCursor } = await pageOf(ctx.model(User), {}, page, 'oldestFirst', {
    projection: { createdAt: 1 },
  })
  return { ids: documents.map(({ _id }) => _id), nextCursor }
}

/** What is wrong stays wrong: only what a second look finds as well is reported, in its words. */
async function lookAgain(
  ctx: Context,
  audited: { user: UserToAudit; findings: Finding[] }[],
): Promise<Map<string, string[]>> {
  const suspects = audited.filter(({ findings }) => findings.length > 0)
  if (suspects.length === 0) return new Map()
  const second = await readBooks(
    ctx,
    suspects.map(({ user }) => user._id),
  )
  return new Map(
    second.map((user) => {
      const first = new Set(suspects.find((each) => each.user._id.equals(user._id))?.findings.map(({ key }) => key))
      const both = findingsOf(user).filter(({ key }) => first.has(key))
      return [user._id.toHexString(), both.map(({ detail }) => detail)]
    }),
  )
}

async function parkedTransfers(ctx: Context, userIds: readonly mongoose.Types.ObjectId[]) {
  const found = TRANSFER_KINDS.map(({ model }) =>
    ctx
      .model(model)
      .find({ userId: { $in: userIds }, state: 'PENDING', parked: true }, { userId: 1 })
      .lean(),
  )
  return (await Promise.all(found)).flat()
}

const hex = (ids: mongoose.Types.ObjectId[] = []): string[] => ids.map((each) => each.toHexString())
