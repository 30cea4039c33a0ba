import { Refusal } from '../../../../platform/contract/errors.js'
import { define } from '../../../../platform/runtime/function.js'
import { long } from '../../../../platform/database/long.js'
import { Car } from './car.model.js'
import { presentCar } from './car.presenter.js'
import { bookings } from '../../contract.js'

export default define(bookings.updateCar, async (ctx, { carId, version, set }) => {
  const { pricePerHour, ...rest } = set
  const cars = ctx.model(Car)
  const car = await cars
    .findOneAndUpdate(
      { _id: carId, version },
      {
        $set: {
          ...rest,
          ...(pricePerHour !== undefined && { pricePerHour: long(pricePerHour) }),
          updatedAt: ctx.now(),
        },
        $inc: { version: 1 },
      },
      { returnDocument: 'after' },
    )
    .lean()
  if (car) return presentCar(car, ctx.caller)
  const current = await cars.findById(carId, { version: 1 }).lean()
  if (!current) throw new Refusal('car_not_found', `There is no car ${carId}.`)
  throw new Refusal('version_conflict', `The car is at version ${current.version} by now.`, {
    version: current.version,
  })
})
