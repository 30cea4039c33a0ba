import mongoose from 'mongoose'
import { define } from '../../../platform/runtime/function.js'
import { trains } from '../contract.js'
import { Train } from '../train.model.js'

export default define(trains.readTrainTerms, async (ctx, { trainIds }) => {
  const ids = [...new Set(trainIds)].map((each) => new mongoose.Types.ObjectId(each))
  const found = await ctx
    .model(Train)
    .find({ _id: { $in: ids } }, { pricePerSeat: 1, departureTime: 1, arrivalTime: 1, deleted: 1, calledOff: 1 })
    .lean()
  const byId = new Map(found.map((each) => [each._id.toHexString(), each]))
  return {
    terms: trainIds.map((each) => {
      const train = byId.get(each)
      if (!train || (train.deleted && !train.calledOff)) return null
      const { pricePerSeat, departureTime, arrivalTime, calledOff } = train
      return {
        pricePerSeat,
        departureTime: departureTime.toISOString(),
        arrivalTime: arrivalTime.toISOString(),
        calledOff: calledOff !== undefined,
      }
    }),
  }
})
