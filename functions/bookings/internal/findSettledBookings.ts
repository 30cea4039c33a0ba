import mongoose from 'mongoose'
import { define } from '../../../platform/runtime/function.js'
import { FINAL } from '../../../protocol/states.js'
import { Booking } from '../booking.model.js'
import { bookings } from '../contract.js'

export default define(bookings.findSettledBookings, async (ctx, { bookingIds, before, createdBefore }) => {
  const settled = await ctx
    .model(Booking)
    .find(
      {
        _id: { $in: bookingIds.map((each) => new mongoose.Types.ObjectId(each)) },
        state: { $in: [...FINAL] },
        ...(createdBefore && { createdAt: { $lt: new Date(createdBefore) } }),
        ...(before && { createdAt: { $lt: new Date(before) }, to: { $lt: new Date(before) } }),
      },
      { _id: 1 },
    )
    .lean()
  return { settled: settled.map(({ _id }) => _id.toHexString()) }
})
