import mongoose from 'mongoose'
import type { News } from '../../../../../platform/contract/news.js'
import { define } from '../../../../../platform/runtime/function.js'
import { feeds } from '../../../../feeds/contract.js'
import { lobbies } from '../../../../lobbies/contract.js'
import { Booking } from '../../../booking.model.js'
import { bookings } from '../../../contract.js'
import type { trainSocketNews } from '../contract.js'

const AT_ONCE = 32

type Told = Extract<News<typeof trainSocketNews, 'toLobby'>, { name: `train:${string}` }>

/**
 * Tells everybody who has seats on a train that it goes at another time or on another route, or not at all; and its
 * lobbies. Delivered again, each feed still has it once.
 */
export default define(bookings.announceTrain, async (ctx, { version, payload, createdAt }) => {
  const { train, previous, bookingIds } = payload
  const { id: trainId, route, departureTime, arrivalTime, calledOff } = train
  const journey = { trainId, route, departureTime, arrivalTime }
  const told: Told = previous
    ? { name: 'train:updated', data: { ...journey, previous } }
    : { name: 'train:calledoff', data: { ...journey, reason: calledOff?.reason ?? '' } }
  const newsFor = (bookingId?: string) => ({
    key: `${told.name}:${trainId}:${version}${bookingId ? `:${bookingId}` : ''}`,
    name: told.name,
    data: { ...told.data, ...(bookingId && { bookingId }) },
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
