import mongoose from 'mongoose'
import { define, type Context } from '../../../platform/runtime/function.js'
import { bookings } from '../../bookings/contract.js'
import { trains } from '../contract.js'
import { Train, type TrainDocument } from '../train.model.js'

/** How far behind forgetting stays: no message, and no clock, is late by that much. */
const REMEMBER_MS = 24 * 3_600_000
const MAX_IDS_PER_CALL = 1000

/**
 * Clears leftover markers, and forgets tombstones. A tombstone fences off late writes of its booking; so what is dropped
 * must be final, and the same update raises the mark that refuses whatever is older (protocol.md, "Forgetting"). A train
 * with an older booking that is not final keeps its mark: that booking may have left no trace here yet.
 */
export default define(trains.tidyTrains, async (ctx) => {
  const mark = new Date(ctx.now().getTime() - REMEMBER_MS)
  const report = { cleared: 0, forgotten: 0 }
  const untidy = ctx
    .model(Train)
    .find(
      { $or: [{ 'pendingBookings.0': { $exists: true } }, { 'tombstones.0': { $exists: true } }] },
      { pendingBookings: 1, tombstones: 1 },
    )
    .sort({ _id: 1 })
    .lean()
    .batchSize(20)
    .cursor()
  for await (const train of untidy) {
    if (ctx.remainingMs() === 0) break
    report.cleared += await clear(ctx, train)
    report.forgotten += await forget(ctx, train, mark)
  }
  return report
})

type Untidy = Pick<TrainDocument, '_id' | 'pendingBookings' | 'tombstones'>

async function clear(ctx: Context, { _id, pendingBookings }: Untidy): Promise<number> {
  const garbage = await settled(ctx, pendingBookings)
  if (garbage.length > 0) await ctx.model(Train).updateOne({ _id }, { $pull: { pendingBookings: { $in: garbage } } })
  return garbage.length
}

async function forget(ctx: Context, { _id, tombstones }: Untidy, mark: Date): Promise<number> {
  const buried = await settled(ctx, tombstones, mark)
  if (buried.length === 0) return 0
  const { outstanding } = await ctx.call(bookings.findOutstandingOnTrain, {
    trainId: _id.toHexString(),
    before: mark.toISOString(),
  })
  if (outstanding) return 0
  await ctx.model(Train).updateOne({ _id }, { $max: { forgottenBefore: mark }, $pull: { tombstones: { $in: buried } } })
  return buried.length
}

/** Those that are final, and with `before` also created before it. */
async function settled(
  ctx: Context,
  ids: readonly mongoose.Types.ObjectId[],
  createdBefore?: Date,
): Promise<mongoose.Types.ObjectId[]> {
  const found: mongoose.Types.ObjectId[] = []
  for (let i = 0; i < ids.length; i += MAX_IDS_PER_CALL) {
    const answer = await ctx.call(bookings.findSettledBookings, {
      bookingIds: ids.slice(i, i + MAX_IDS_PER_CALL).map((each) => each.toHexString()),
      ...(createdBefore && { createdBefore: createdBefore.toISOString() }),
    })
    found.push(...answer.settled.map((each) => new mongoose.Types.ObjectId(each)))
  }
  return found
}
