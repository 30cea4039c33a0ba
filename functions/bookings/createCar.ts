import mongoose from 'mongoose'
import { Refusal } from '../../platform/errors.js'
import { define } from '../../platform/function.js'
import { isSameRequest, requestOf } from '../../platform/requests.js'
import { presentCar } from './booking.presenter.js'
import { Car, type CarDocument } from './car.model.js'
import { bookings } from './contract.js'

const DUPLICATE_KEY = 11000

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
  const cars = ctx.model(Car)
  try {
    await cars.create(car)
  } catch (error) {
    if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error
    // Linearizable: the document in the way may have been inserted a moment ago and not be majority yet.
    const earlier = await cars.findById(car._id).readConcern('linearizable').lean()
    if (!earlier || !isSameRequest(earlier.request, car.request)) {
      throw new Refusal('car_id_reused', `The id ${input.carId} belongs to another car.`)
    }
    return presentCar(earlier, ctx.caller)
  }
  return presentCar(car, ctx.caller)
})
