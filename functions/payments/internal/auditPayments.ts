import mongoose from 'mongoose'
import { define, type Context } from '../../../platform/runtime/function.js'
import { settledBetween } from '../../../protocol/audit.js'
import { isFinal } from '../../../protocol/states.js'
import { users } from '../../users/contract.js'
import { payments } from '../contract.js'
import { checkInTime, checkPayer, type AuditedPayment } from '../payment.audit.js'
import { Payment } from '../payment.model.js'

export default define(payments.auditPayments, async (ctx, { userIds }) => {
  const before = await paymentsOf(ctx, userIds)
  const { items } = await ctx.call(users.auditUsers, { userIds, limit: userIds.length })
  const after = await paymentsOf(ctx, userIds)

  const settled = settledBetween(before, after)
  const known = new Set(after.map(({ _id }) => String(_id)))
  const open = after.filter(({ state }) => !isFinal(state))
  const { stuckAfterMs, intervalMs, lockMs } = ctx.config.recovery
  const allowedMs = stuckAfterMs + intervalMs + lockMs + ctx.config.deadlinesMs.money
  return {
    checked: after.length,
    violations: [
      ...items.flatMap((user) =>
        checkPayer(
          user,
          settled.filter(({ booking }) => isOf(user.id, booking)),
          known,
        ),
      ),
      ...checkInTime(open, new Date(ctx.now().getTime() - allowedMs)),
    ],
    parked: open.filter(({ parked }) => parked).map(({ _id }) => _id.toHexString()),
  }
})

const isOf = (userId: string, { payerId, payeeId }: AuditedPayment): boolean =>
  [payerId, payeeId].some((each) => String(each) === userId)

async function paymentsOf(ctx: Context, userIds: string[]): Promise<AuditedPayment[]> {
  const $in = userIds.map((each) => new mongoose.Types.ObjectId(each))
  return ctx
    .model(Payment)
    .find(
      { $or: [{ payerId: { $in } }, { payeeId: { $in } }] },
      { payerId: 1, payeeId: 1, amount: 1, state: 1, reverses: 1, parked: 1, createdAt: 1, lastModified: 1 },
    )
    .lean()
}
