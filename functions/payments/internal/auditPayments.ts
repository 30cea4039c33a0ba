import mongoose from 'mongoose'
import { define, type Context } from '../../../platform/runtime/function.js'
import { isLate, settledBetween, violation } from '../../../protocol/audit.js'
import { isFinal } from '../../../protocol/states.js'
import { users } from '../../users/contract.js'
import { Charge } from '../charge.model.js'
import { payments } from '../contract.js'
import { checkPayer, lateViolation, type AuditedPayment } from '../payment.audit.js'
import { Payment } from '../payment.model.js'
import { misfit } from '../refund.rules.js'

export default define(payments.auditPayments, async (ctx, { userIds }) => {
  const before = await paymentsOf(ctx, userIds)
  const { items } = await ctx.call(users.auditUsers, { userIds, limit: userIds.length })
  const after = await paymentsOf(ctx, userIds)

  const settled = settledBetween(before, after)
  const known = new Set(after.map(({ _id }) => String(_id)))
  const open = after.filter(({ state }) => !isFinal(state))
  const charges = await chargesOf(ctx, userIds)
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
      ...open.filter((each) => isLate(ctx, each)).map(lateViolation),
      ...charges.flatMap((charge) => {
        const detail = misfit(charge)
        return detail === null ? [] : [violation('refunds_fit', String(charge._id), detail)]
      }),
    ],
    parked: open.filter(({ parked }) => parked).map(({ _id }) => _id.toHexString()),
    unresolvedCharges: charges.filter(({ attention }) => attention).map(({ _id }) => _id.toHexString()),
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
      {
        payerId: 1,
        payeeId: 1,
        amount: 1,
        state: 1,
        reverses: 1,
        parked: 1,
        recoveries: 1,
        createdAt: 1,
        lastModified: 1,
      },
    )
    .lean()
}

/** The charges of these buyers: each document is one state of a charge with all of its refunds. */
const chargesOf = (ctx: Context, userIds: string[]) =>
  ctx
    .model(Charge)
    .find(
      { userId: { $in: userIds.map((each) => new mongoose.Types.ObjectId(each)) } },
      { amount: 1, received: 1, left: 1, refunds: 1, attention: 1 },
    )
    .lean()
