import { define } from '../../../../platform/runtime/function.js'
import { pageOf } from '../../../../platform/runtime/pages.js'
import { Car } from './car.model.js'
import { presentCar } from './car.presenter.js'
import { bookings } from '../../contract.js'

export default define(bookings.listCars, async (ctx, { from, to, limit, cursor }) => {
  const isUser = ctx.caller?.role === 'user'
  const free = from &&
    to && { $nor: [{ bookings: { $elemMatch: { from: { $lt: new Date(to) }, to: { $gt: new Date(from) } } } }] }
  const { documents, nextCursor } = await pageOf(
    ctx.model(Car),
    { ...(isUser && { retired: false }), ...free },
    { limit, cursor },
    'oldestFirst',
    // A car may hold a year of bookings; whoever may not see them does not pay for them.
    { projection: isUser ? { bookings: 0, pendingBookings: 0, tombstones: 0 } : { tombstones: 0 } },
  )
  return { items: documents.map((car) => presentCar(car, ctx.caller)), nextCursor }
})
