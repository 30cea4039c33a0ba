import { Refusal } from '../../../../platform/contract/errors.js'
import { define } from '../../../../platform/runtime/function.js'
import { Car } from './car.model.js'
import { presentCar } from './car.presenter.js'
import { bookings } from '../../contract.js'

export default define(bookings.getCar, async (ctx, { carId, from, to }) => {
  const car = await ctx.model(Car).findById(carId, { tombstones: 0 }).lean()
  if (!car) throw new Refusal('car_not_found', `There is no car ${carId}.`)
  const shown = presentCar(car, ctx.caller)
  if (!from || !to) return shown
  const busy = car.bookings
    .map((each) => ({ from: each.from.toISOString(), to: each.to.toISOString() }))
    .filter((each) => each.from < to && each.to > from)
    .sort((a, b) => (a.from < b.from ? -1 : 1))
  return { ...shown, busy }
})
