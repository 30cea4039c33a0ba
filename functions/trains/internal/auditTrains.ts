import mongoose from 'mongoose'
import { define } from '../../../platform/runtime/function.js'
import { pageOf } from '../../../platform/runtime/pages.js'
import { trains } from '../contract.js'
import { findingsOf, type TrainToAudit } from '../train.audit.js'
import { Train } from '../train.model.js'

const AUDITED_FIELDS = {
  createdAt: 1,
  seats: 1,
  seatsLeft: 1,
  bookings: 1,
  pendingBookings: 1,
  tombstones: 1,
  deleted: 1,
  'calledOff.at': 1,
} as const

export default define(trains.auditTrains, async (ctx, { trainIds, limit, cursor }) => {
  const found = ctx.model(Train)
  const { stuckAfterMs, intervalMs, lockMs } = ctx.config.recovery
  const latest = new Date(ctx.now().getTime() - stuckAfterMs - intervalMs - lockMs - ctx.config.deadlinesMs.sweep)
  const { documents, nextCursor } = trainIds
    ? {
        documents: await found
          .find({ _id: { $in: trainIds.map((each) => new mongoose.Types.ObjectId(each)) } }, AUDITED_FIELDS)
          .lean(),
        nextCursor: null,
      }
    : await pageOf(found, {}, { limit, cursor }, 'oldestFirst', { projection: AUDITED_FIELDS })
  return {
    items: documents.map((train) => ({
      id: train._id.toHexString(),
      bookings: train.bookings.map(({ _id, passengers, seats }) => ({
        id: _id.toHexString(),
        passengers,
        seats: seats ?? [],
      })),
      pendingBookings: train.pendingBookings.map((each) => each.toHexString()),
      tombstones: train.tombstones.map((each) => each.toHexString()),
      violations: findingsOf(train as TrainToAudit, latest),
    })),
    nextCursor,
  }
})
