import mongoose from 'mongoose'
import { define } from '../../platform/runtime/function.js'
import { insertOnce } from '../../platform/runtime/insertOnce.js'
import { requestOf } from '../../platform/runtime/requests.js'
import { searchKey } from '../../platform/lib/searchKey.js'
import { trains } from './contract.js'
import { Train, type TrainDocument } from './train.model.js'
import { presentTrain } from './train.presenter.js'

export default define(trains.createTrain, async (ctx, input) => {
  const at = ctx.now()
  const train: TrainDocument = {
    _id: new mongoose.Types.ObjectId(input.trainId),
    route: input.route,
    routeKey: searchKey(input.route),
    departureTime: new Date(input.departureTime),
    arrivalTime: new Date(input.arrivalTime),
    seats: input.availableSeats,
    seatsLeft: input.availableSeats,
    pricePerSeat: input.pricePerSeat,
    deleted: false,
    bookings: [],
    pendingBookings: [],
    tombstones: [],
    forgottenBefore: new Date(0),
    version: 0,
    request: requestOf(ctx, input),
    createdAt: at,
    updatedAt: at,
  }
  return insertOnce(ctx.model(Train), 'train', train, presentTrain)
})
