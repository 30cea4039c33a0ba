import mongoose from 'mongoose'
import { define } from '../../../../../platform/runtime/function.js'
import { feeds } from '../../../../feeds/contract.js'
import { lobbies } from '../../../../lobbies/contract.js'
import { Booking } from '../../../booking.model.js'
import { bookings } from '../../../contract.js'

const AT_ONCE = 32

/**
 * Tells everybody who has seats on a train that it goes at another time or on another route, or not at all; and its
 * lobbies. Delivered again, each feed still has it once.
 */
export default define(bookings.announceTrain, async (ctx, { type, version, payload, createdAt }) => {
  const { train, previous, bookingIds } = payload
  const { id: trainId, route, departureTime, arrivalTime, calledOff } = train
  const name = type === 'train:called_off' ? 'train:calledoff' : 'train:updated'
  const data = {
    ...{ trainId, route, departureTime, arrivalTime },
    ...(previous && { previous }),
    ...(calledOff && { reason: calledOff.reason }),
  }
  const newsFor = (bookingId?: string) => ({
    key: `${name}:${trainId}:${version}${bookingId ? `:${bookingId}` : ''}`,
    name,
    data: { ...data, ...(bookingId && { bookingId }) },
    at: createdAt,
  })
  const { lobbyIds } = await ctx.call(lobbies.findLobbiesOfTrain, { trainId })
  for (const lobbyId of lobbyIds) {
    await ctx.call(feeds.appendToFeed, { feed: `lobby:${lobbyId}`, entries: [newsFor()] })
  }
  const queue = (
    await ctx
      .model(Booking)
      .find({ _id: { $in: bookingIds.map((each) => new mongoose.Types.ObjectId(each)) } }, { userId: 1 })
      .lean()
  ).values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const { _id, userId } of queue) {
        const entries = [newsFor(_id.toHexString())]
        await ctx.call(feeds.appendToFeed, { feed: `user:${userId.toHexString()}`, entries })
      }
    }),
  )
  return {}
})
