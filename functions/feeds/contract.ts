import { z } from 'zod'
import { defineContract, operation, subscriber } from '../../platform/contract/contract.js'
import type { News } from '../../platform/contract/news.js'
import { id, time } from '../../platform/contract/types.js'
import { booking, BOOKING_ENDS } from '../bookings/contract.js'

/**
 * Feeds are the durable streams behind sockets: of a lobby, for everyone in it; of a user, for all of the user's sockets.
 * Whoever has news for clients appends it here, once, and is done: gateway workers pass it on.
 */
export const feedName = z.string().regex(/^(lobby|user):[0-9a-f]{24}$/, 'must be lobby:<id> or user:<id>')

const seq = z.int().min(1)

const news = {
  /** What it is about, unique in its feed: the same key again is the same news, whatever else it says. */
  key: z.string().min(1).max(200),
  /** The event that clients listen to: `booking:confirmed`. */
  name: z.string().regex(/^[a-z]+:[a-z]+$/),
  data: z.record(z.string(), z.unknown()),
  at: time,
  /** The same news stands in other feeds too: a socket that gets it there does not get it here. */
  also: z
    .array(z.strictObject({ feed: feedName, seq }))
    .max(100)
    .optional(),
  /** After this the feed is over: for the sockets of a user, or for everyone's. */
  ends: z.strictObject({ userId: id.optional() }).optional(),
}

export const feedEntry = z.object({ feed: feedName, seq, ...news })
export type Entry = z.output<typeof feedEntry>

/** A stored entry as clients see it. */
export const presentEntry = ({
  feed,
  seq,
  key,
  name,
  data,
  at,
  also,
  ends,
}: Omit<Entry, 'at'> & { at: Date }): Entry => ({
  feed,
  seq,
  key,
  name,
  data,
  at: at.toISOString(),
  ...(also && { also }),
  ...(ends && { ends }),
})

/** What whoever appends tells gateway workers, so that they need not look. */
export interface FeedHint {
  appended: Entry
}

/** What happened, for the sockets of a user: `name` is the event that clients listen to. */
export type UserNews<S = Record<string, { toUser: z.ZodObject }>> = News<S> & { userId: string }

export const feeds = defineContract('feeds', {
  appendToFeed: operation({
    summary: 'Appends news to a feed, each key once, and answers the entries as they stand, in the order given.',
    access: 'internal',
    input: z.strictObject({ feed: feedName, entries: z.array(z.strictObject(news)).min(1).max(200) }),
    output: z.object({ entries: z.array(feedEntry) }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
    key: ({ feed }) => feed,
  }),
  readFeed: operation({
    summary: 'The entries of a feed after a number, oldest first; fewer than `limit` where they are long.',
    access: 'internal',
    input: z.strictObject({ feed: feedName, after: z.int().min(0), limit: z.int().min(1).max(500).default(200) }),
    output: z.object({ entries: z.array(feedEntry) }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  readFeedHeads: operation({
    summary: 'The number of the newest entry of each feed, 0 where there is none.',
    access: 'internal',
    input: z.strictObject({ feeds: z.array(feedName).max(1000) }),
    output: z.object({ heads: z.array(z.int().min(0)) }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  tellBooking: subscriber({
    summary: 'Tells the user how a booking ended, and of its reversal, over the sockets, as `booking:updated`.',
    payload: booking,
    subscribes: BOOKING_ENDS,
  }),
  tidyFeeds: operation({
    summary: 'For the tidy job: drops entries that nobody can be waiting for any more.',
    access: 'internal',
    input: z.strictObject({}),
    output: z.object({ dropped: z.int() }),
    errors: [],
    deadline: 'sweep',
    idempotent: true,
  }),
})
