import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { pageOf } from '../../platform/runtime/pages.js'
import { asTold } from './booking.access.js'
import { Booking } from './booking.model.js'
import { presentBooking } from './booking.presenter.js'
import { bookings } from './contract.js'
import { ofStanding } from './standing.rules.js'

export default define(bookings.listBookings, async (ctx, { userId, state, standing, limit, cursor }) => {
  const isUser = ctx.caller?.role === 'user'
  if (isUser && userId !== undefined && userId !== ctx.caller?.userId) {
    throw new Refusal('forbidden', "Only admins list others' bookings.")
  }

  const now = ctx.now()
  const owner = isUser ? ctx.caller?.userId : userId
  const owned = owner ? { userId: new mongoose.Types.ObjectId(owner) } : {}
  const { documents, nextCursor } = await pageOf(
    ctx.model(Booking),
    { $and: [standing ? ofStanding(standing, now, owned) : owned, state ? { state } : {}] },
    { limit, cursor },
    'newestFirst',
    { readConcern: 'local' },
  )
  const told = await asTold(ctx, documents)
  const items = told
    .map((each) => presentBooking(each, now))
    .filter((each) => (!state || each.state === state) && (!standing || each.standing === standing))
  return { items, nextCursor }
})
