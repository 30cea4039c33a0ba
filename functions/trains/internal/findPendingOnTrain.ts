import { define } from '../../../platform/runtime/function.js'
import { trains } from '../contract.js'
import { Train } from '../train.model.js'

export default define(trains.findPendingOnTrain, async (ctx, { trainId }) => {
  const train = await ctx.model(Train).findById(trainId, { pendingBookings: 1 }).lean()
  return { bookingIds: (train?.pendingBookings ?? []).map((each) => each.toHexString()) }
})
