import mongoose from 'mongoose'
import { define } from '../../../../../platform/runtime/function.js'
import { isOutstanding } from '../../../../../protocol/states.js'
import { Booking } from '../../../booking.model.js'
import { bookings } from '../../../contract.js'

export default define(bookings.findOutstandingOnTrain, async (ctx, { trainId, before }) => {
  const open = await ctx
    .model(Booking)
    .findOne(
      {
        trainId: new mongoose.Types.ObjectId(trainId),
        ...isOutstanding,
        createdAt: { $lt: new Date(before) },
      } as object,
      { _id: 1 },
    )
    .lean()
  return { outstanding: open !== null }
})
