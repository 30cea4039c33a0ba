import { define } from '../../../../platform/runtime/function.js'
import { insertOnce } from '../../../../platform/runtime/insertOnce.js'
import { newThing } from '../../thing.kinds.js'
import { bookings } from '../../contract.js'
import { Car, type CarDocument } from './car.model.js'
import { presentCar } from './car.presenter.js'

export default define(bookings.createCar, async (ctx, input) => {
  const { carId, name, pricePerHour } = input
  const car: CarDocument = { ...newThing(ctx, carId, input), name, pricePerHour }
  return insertOnce(ctx.model(Car), 'car', car, (stored) => presentCar(stored, ctx.caller))
})
