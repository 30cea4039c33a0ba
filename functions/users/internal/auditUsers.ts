import mongoose from 'mongoose'
import type { Output } from '../../../platform/contract/contract.js'
import { define, type Context } from '../../../platform/runtime/function.js'
import { cursorAfter, pageOf, pageRoom } from '../../../platform/runtime/pages.js'
import { users } from '../contract.js'
import { bookingChanges, findingsOf, paymentChanges, type UserToAudit, type Finding } from '../user.audit.js'
import { readBooks } from '../books.audit.js'
import { TRANSFER_KINDS } from '../transfer.kinds.js'
import { User } from '../user.model.js'

const { ObjectId } = mongoose.Types

/** Whoever asks for certain users got their ids from a page: they are as many as fit. */
export default define(users.auditUsers, async (ctx, { userIds, limit, cursor }) => {
  if (userIds)
    return {
      items: await audited(
        ctx,
        userIds.map((each) => new ObjectId(each)),
      ),
      nextCursor: null,
    }
  const { documents, nextCursor } = await pageOf(ctx.model(User), {}, { limit, cursor }, 'oldestFirst', {
    projection: { createdAt: 1 },
  })
  const items: AuditedUser[] = []
  const fits = pageRoom()
  for (let read = 0; read < documents.length; read += READ_AT_ONCE) {
    const some = documents.slice(read, read + READ_AT_ONCE).map(({ _id }) => _id)
    for (const item of await audited(ctx, some)) {
      // Users are never removed: items stand in the order of the documents.
      if (!fits(item)) return { items, nextCursor: cursorAfter(documents[items.length - 1] as (typeof documents)[0]) }
      items.push(item)
    }
  }
  return { items, nextCursor }
})

type AuditedUser = Output<typeof users.auditUsers>['items'][number]

/** A user with many bookings is long: a page of such ones is read in parts, and ends early. */
const READ_AT_ONCE = 10

/** In the order of the ids. */
async function audited(ctx: Context, ids: readonly mongoose.Types.ObjectId[]): Promise<AuditedUser[]> {
  const looked = (await readBooks(ctx, ids)).map((user) => ({ user, findings: findingsOf(user) }))
  const confirmed = await lookAgain(ctx, looked)
  const parked = await parkedTransfers(ctx, ids)
  const items = looked.map(({ user }): [string, AuditedUser] => [
    user._id.toHexString(),
    {
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
    },
  ])
  const byId = new Map(items)
  return ids.flatMap((each) => byId.get(each.toHexString()) ?? [])
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
