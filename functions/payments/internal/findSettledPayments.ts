import mongoose from 'mongoose'
import { define } from '../../../platform/runtime/function.js'
import { FINAL, isOutstanding } from '../../../protocol/states.js'
import { payments } from '../contract.js'
import { Payment } from '../payment.model.js'

const objectIds = (ids: readonly string[]) => ids.map((each) => new mongoose.Types.ObjectId(each))

export default define(payments.findSettledPayments, async (ctx, { paymentIds, userIds, before }) => {
  const older = before ? { createdAt: { $lt: new Date(before) } } : {}
  const [settled, outstanding] = await Promise.all([
    ctx
      .model(Payment)
      .find({ _id: { $in: objectIds(paymentIds) }, state: { $in: [...FINAL] }, ...older }, { _id: 1 })
      .lean(),
    // Few are outstanding at a time, and fewer that are old: the partial index on createdAt has just those.
    userIds.length > 0
      ? ctx
          .model(Payment)
          .find({ ...isOutstanding, ...older }, { payerId: 1, payeeId: 1 })
          .sort({ createdAt: 1 })
          .lean()
      : [],
  ])
  const asked = new Set(userIds)
  const theirs = outstanding.flatMap(({ payerId, payeeId }) => [String(payerId), String(payeeId)])
  return {
    settled: settled.map(({ _id }) => _id.toHexString()),
    outstanding: [...new Set(theirs)].filter((each) => asked.has(each)),
  }
})
