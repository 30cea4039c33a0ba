import type { CallInput } from '../../../../platform/contract/contract.js'
import type { News } from '../../../../platform/contract/news.js'
import type { Context } from '../../../../platform/runtime/function.js'
import { feeds } from '../../../feeds/contract.js'
import { lobbies } from '../../../lobbies/contract.js'
import { Booking } from '../../booking.model.js'
import type { Ending } from '../kind.js'
import type { trainSocketNews } from './contract.js'
import type { TrainBooking } from './train.terms.js'

type Told = Extract<News<typeof trainSocketNews, 'toLobby'>, { name: `booking:${string}` }>
type FeedNews = CallInput<typeof feeds.appendToFeed>['entries'][number]

/** What is shown of a booking of seats. */
interface Shown {
  id: string
  userId: string
  trainId: string
  passengers: { name: string; seat?: number }[]
  reverses?: string
  reason?: string
}

/**
 * How a train booking ended: to the lobbies of the train, then to the buyer, whose sockets in one of those have it from
 * there. Delivered again after a crash, each feed still has it once, because the key is the booking's.
 */
export async function announceSeats(ctx: Context, { type, payload, createdAt }: Ending<Shown>): Promise<void> {
  const { id, userId, trainId, passengers } = payload
  const ending = toldOf(type, payload)
  const news = { ...ending, key: `${ending.name}:${ending.data.bookingId}`, at: createdAt }

  const only = type === 'booking:refused' ? await lobbyOf(ctx, id) : null
  const told = await tellLobbies(ctx, { trainId, news, only })
  const own = { ...news, data: { ...news.data, passengers }, ...(told.length > 0 && { also: told }) }
  await ctx.call(feeds.appendToFeed, { feed: `user:${userId}`, entries: [own] })
}

function toldOf(type: Ending['type'], { id, userId, trainId, passengers, reverses, reason }: Shown): Told {
  const about = { bookingId: reverses ?? id, trainId, userId }
  const seats = passengers.flatMap(({ seat }) => seat ?? [])
  switch (type) {
    case 'booking:committed':
      return { name: 'booking:confirmed', data: { ...about, seats } }
    case 'booking:refused':
      return { name: 'booking:rejected', data: { ...about, reason } }
    case 'booking:reversed':
      return { name: 'booking:cancelled', data: { ...about, seats } }
  }
}

/** Where the seats were to be booked from, if anywhere: a booking that came to nothing is nobody else's business. */
async function lobbyOf(ctx: Context, bookingId: string): Promise<string> {
  const found = await ctx.model(Booking).findById(bookingId, { lobbyId: 1 }).lean<Pick<TrainBooking, 'lobbyId'>>()
  return found?.lobbyId?.toHexString() ?? ''
}

/** Answers where it stands in their feeds. `only`: nobody but this lobby; null: all of the train's. */
async function tellLobbies(
  ctx: Context,
  { trainId, news, only }: { trainId: string; news: FeedNews; only: string | null },
): Promise<NonNullable<FeedNews['also']>> {
  const { lobbyIds } = await ctx.call(lobbies.findLobbiesOfTrain, { trainId })
  return Promise.all(
    lobbyIds
      .filter((lobbyId) => only === null || lobbyId === only)
      .map(async (lobbyId) => {
        const feed = `lobby:${lobbyId}`
        const { entries } = await ctx.call(feeds.appendToFeed, { feed, entries: [news] })
        return { feed, seq: entries[0]?.seq as number }
      }),
  )
}
