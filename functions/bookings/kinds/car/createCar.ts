import mongoose from 'mongoose'
import { define } from '../../../../platform/runtime/function.js'
import { insertOnce } from '../../../../platform/runtime/insertOnce.js'
import { requestOf } from '../../../../platform/runtime/requests.js'
import { presentCar } from '../../booking.presenter.js'
import { Car, type CarDocument } from './car.model.js'
import { bookings } from '../../contract.js'

export default define(bookings.createCar, async (ctx, input) => {
  const at = ctx.now()
  const car: CarDocument = {
    _id: new mongoose.Types.ObjectId(input.carId),
    name: input.name,
    pricePerHour: input.pricePerHour,
    retired: false,
    bookings: [],
    pendingBookings: [],
    tombstones: [],
    forgottenBefore: new Date(0),
    version: 0,
    request: requestOf(ctx, input),
    createdAt: at,
    updatedAt: at,
  }
  return insertOnce(ctx.model(Car), 'car', car, (stored) => presentCar(stored, ctx.caller))
})
