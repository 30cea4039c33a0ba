import mongoose from 'mongoose'
import { bytesOf } from '../../../platform/database/bytes.js'
import { define } from '../../../platform/runtime/function.js'
import { trains } from '../contract.js'
import { Train, type TrainDocument } from '../train.model.js'

const TERMS = { pricePerSeat: 1, departureTime: 1, arrivalTime: 1, deleted: 1, calledOff: 1 }

export default define(trains.readTrainTerms, async (ctx, { trainIds }) => {
  const ids = [...new Set(trainIds)].map((each) => new mongoose.Types.ObjectId(each))
  const found = await ctx
    .model(Train)
    .collection.find<TrainDocument & { bytes: number }>({ _id: { $in: ids } }, { projection: { ...TERMS, ...bytesOf } })
    .toArray()
  const byId = new Map(found.map((each) => [each._id.toHexString(), each]))
  return {
    terms: trainIds.map((each) => {
      const train = byId.get(each)
      if (!train || (train.deleted && !train.calledOff)) return null
      const { pricePerSeat, departureTime, arrivalTime, calledOff, bytes } = train
      return {
        pricePerSeat,
        departureTime: departureTime.toISOString(),
        arrivalTime: arrivalTime.toISOString(),
        calledOff: calledOff !== undefined,
        bytes,
      }
    }),
  }
})
