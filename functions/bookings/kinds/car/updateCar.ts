import { Refusal } from '../../../../platform/contract/errors.js'
import { define } from '../../../../platform/runtime/function.js'
import { updateVersion } from '../../../../platform/runtime/updateVersion.js'
import { long } from '../../../../platform/database/long.js'
import { Car } from './car.model.js'
import { presentCar } from './car.presenter.js'
import { bookings } from '../../contract.js'

export default define(bookings.updateCar, async (ctx, { carId, version, set }) => {
  const { pricePerHour, ...rest } = set
  const car = await updateVersion(ctx.model(Car), 'car', {
    id: carId,
    version,
    set: { ...rest, ...(pricePerHour !== undefined && { pricePerHour: long(pricePerHour) }) },
    updatedAt: ctx.now(),
    refusal: (current) => (current ? undefined : new Refusal('car_not_found', `There is no car ${carId}.`)),
  })
  return presentCar(car, ctx.caller)
})
