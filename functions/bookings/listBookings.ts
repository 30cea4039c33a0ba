import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { pageOf } from '../../platform/runtime/pages.js'
import { asTold } from './booking.access.js'
import { Booking } from './booking.model.js'
import { presentBooking } from './booking.presenter.js'
import { bookings } from './contract.js'

export default define(bookings.listBookings, async (ctx, { userId, state, limit, cursor }) => {
  const isUser = ctx.caller?.role === 'user'
  if (isUser && userId !== undefined && userId !== ctx.caller?.userId) {
    throw new Refusal('forbidden', "Only admins list others' bookings.")
  }

  const owner = isUser ? ctx.caller?.userId : userId
  const { documents, nextCursor } = await pageOf(
    ctx.model(Booking),
    { ...(owner && { userId: new mongoose.Types.ObjectId(owner) }), ...(state && { state }) },
    { limit, cursor },
    'newestFirst',
    { readConcern: 'local' },
  )
  const told = await asTold(ctx, documents)
  return { items: told.filter((each) => !state || each.state === state).map(presentBooking), nextCursor }
})
