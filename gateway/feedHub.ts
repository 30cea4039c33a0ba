import { setTimeout as sleep } from 'node:timers/promises'
import { feeds, type Entry } from '../functions/feeds/contract.js'
import { coalesce } from '../platform/lib/coalesce.js'
import type { CallInput, Operation, Output } from '../platform/contract/contract.js'
import { Refusal } from '../platform/contract/errors.js'
import type { Logger } from '../platform/lib/log.js'
import { createPageReader } from './feedPages.js'

/** How fast a socket is given what it missed. */
export interface Pace {
  /**
   * Resolves when it has read nearly all that it was given and may be given a page more, or is gone. What this answers
   * ends the page: it is paid for, and the next socket of the same user gets its own.
   */
  turn(): Promise<() => void>
}

/** A socket that follows a feed. */
export interface FeedFollower {
  pace: Pace
  /** Whose socket it is. */
  userId: string
  /** False once it is gone, or has left. */
  active(): boolean
  /** Where it follows from: what comes after this number is delivered. */
  from(seq: number): void
  /** An entry for this socket alone. */
  deliver(entry: Entry): void
  /** From here on the feed's room stands for it. */
  caughtUp(): void
  /** The feed is over for this socket, with this entry. */
  ended(seq: number): void
}

export interface FeedHub {
  /** Delivers everything after a number (by default: from now on), in order and once, until the follower is inactive. */
  follow(feed: string, follower: FeedFollower, after?: number): void
  /** Answers up to where the feed's room stood for it, if it did. */
  unfollow(feed: string, follower: FeedFollower): number | undefined
  /** An entry that has just been appended: the speed-up. In any order, none or many times. */
  take(entry: Entry): void
  /** Looks for what was not heard of: the truth. */
  sweep(): Promise<void>
  /** The users with sockets here that follow a feed, by feed. */
  followers(kind: 'lobby' | 'user'): Map<string, Set<string>>
}

interface Channel {
  /** Every entry up to this was passed on. */
  seq: number
  followers: Set<FeedFollower>
  catchingUp?: Promise<void>
}

const PAGE = 200
const MAX_FEEDS_PER_CALL = 1000
const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 2000

/**
 * What is appended to feeds reaches the sockets of this worker that follow them: each entry once, in order. A newcomer
 * reads the feed until it is where the others are, and joins them in the same turn of the event loop, so nothing falls
 * between. What the others get is passed on by number: the next one as it comes, after a hole what the feed says.
 */
export function createFeedHub(options: {
  log: Logger
  call<Op extends Operation>(operation: Op, input: CallInput<Op>): Promise<Output<Op>>
  /** Passes an entry on to all sockets in the room of its feed at once. */
  broadcast(entry: Entry): void
}): FeedHub {
  const { log, call, broadcast } = options
  const channels = new Map<string, Channel>()
  /** Those that are not where the others are yet. */
  const coming = new Map<FeedFollower, string>()

  const headOf = coalesce<string, number>(async (names) => (await call(feeds.readFeedHeads, { feeds: names })).heads, {
    maxBatch: MAX_FEEDS_PER_CALL,
    maxInFlight: 2,
    timeoutMs: 10_000,
    onTimeout: () => new Refusal('unavailable', 'The feeds did not answer in time.'),
  })
  /** What can't be answered as a whole may be so in parts; only an entry that can't be sent at all stays in the way. */
  async function readNow(feed: string, after: number, limit = PAGE): Promise<Entry[]> {
    try {
      return (await call(feeds.readFeed, { feed, after, limit })).entries
    } catch (error) {
      if (limit === 1 || !(error instanceof Refusal && error.code === 'internal')) throw error
      return readNow(feed, after, Math.floor(limit / 2))
    }
  }
  const read = createPageReader((feed, after) => readNow(feed, after))

  /** `position.seq`: what was delivered before a failure is not delivered again. */
  async function welcome(feed: string, follower: FeedFollower, position: { seq?: number; told?: true }): Promise<void> {
    const head = await headOf(feed)
    // A number that the feed has not come to yet would hide what is still to come.
    let seq = Math.min(position.seq ?? head, head)
    position.seq = seq
    if (!position.told) follower.from(seq)
    position.told = true
    for (let known = head; follower.active();) {
      if (seq < known) {
        const end = await follower.pace.turn()
        try {
          for (const entry of follower.active() ? await read(feed, seq, known) : []) {
            if (!follower.active()) return
            follower.deliver(entry)
            position.seq = seq = entry.seq
            if (concerns(entry, follower)) return follower.ended(seq)
          }
        } finally {
          end()
        }
      }
      if (!follower.active()) return
      const channel = channels.get(feed)
      if (!channel || channel.seq === seq) return join(feed, follower, seq)
      if (channel.seq < seq) await catchUp(feed, channel)
      known = channel.seq
    }
  }

  function join(feed: string, follower: FeedFollower, seq: number): void {
    const channel = channels.get(feed) ?? { seq, followers: new Set() }
    channel.followers.add(follower)
    channels.set(feed, channel)
    coming.delete(follower)
    follower.caughtUp()
  }

  function passOn(channel: Channel, entry: Entry): void {
    channel.seq = entry.seq
    if (kindOf(entry.feed) === 'lobby') broadcast(entry)
    else for (const each of channel.followers) each.deliver(entry)
    for (const each of channel.followers) {
      if (!concerns(entry, each)) continue
      leave(entry.feed, each)
      each.ended(entry.seq)
    }
  }

  function leave(feed: string, follower: FeedFollower): number | undefined {
    coming.delete(follower)
    const channel = channels.get(feed)
    if (!channel?.followers.delete(follower)) return undefined
    if (channel.followers.size === 0) channels.delete(feed)
    return channel.seq
  }

  const catchUp = (feed: string, channel: Channel): Promise<void> =>
    (channel.catchingUp ??= readOn(feed, channel).finally(() => delete channel.catchingUp))

  async function readOn(feed: string, channel: Channel): Promise<void> {
    for (;;) {
      // A page may be shorter than it could be, where its entries are long.
      const entries = await readNow(feed, channel.seq)
      for (const entry of entries) if (entry.seq > channel.seq) passOn(channel, entry)
      if (entries.length === 0) return
    }
  }

  /** Whatever is in the way passes; meanwhile the socket has missed nothing for good. */
  async function persist(feed: string, follower: FeedFollower, after?: number): Promise<void> {
    const position = after === undefined ? {} : { seq: after }
    for (let waitMs = FIRST_RETRY_MS; follower.active(); waitMs = Math.min(2 * waitMs, LAST_RETRY_MS)) {
      try {
        return await welcome(feed, follower, position)
      } catch (error) {
        log.debug({ err: error, feed }, 'feed out of reach')
      }
      await sleep(waitMs)
    }
    coming.delete(follower)
  }

  return {
    follow(feed, follower, after) {
      coming.set(follower, feed)
      void persist(feed, follower, after)
    },
    unfollow: leave,
    take(entry) {
      const channel = channels.get(entry.feed)
      if (!channel || entry.seq <= channel.seq) return
      if (entry.seq === channel.seq + 1) passOn(channel, entry)
      else catchUp(entry.feed, channel).catch((error: unknown) => log.debug({ err: error }, 'feed out of reach'))
    },
    async sweep() {
      const names = [...channels.keys()]
      const heads = await Promise.all(names.map((name) => headOf(name)))
      const behind = names.flatMap((name, i) => {
        const channel = channels.get(name)
        return channel && channel.seq < (heads[i] as number) ? [catchUp(name, channel)] : []
      })
      await Promise.all(behind)
    },
    followers(kind) {
      const found = new Map<string, Set<string>>()
      const add = (feed: string, { userId }: FeedFollower): void => {
        if (kindOf(feed) !== kind) return
        found.set(feed, (found.get(feed) ?? new Set()).add(userId))
      }
      for (const [feed, { followers }] of channels) for (const each of followers) add(feed, each)
      for (const [follower, feed] of coming) if (follower.active()) add(feed, follower)
      return found
    },
  }
}

export const kindOf = (feed: string): 'lobby' | 'user' => (feed.startsWith('lobby:') ? 'lobby' : 'user')

/** Whether the feed is over for this follower with this entry. */
const concerns = ({ ends }: Entry, { userId }: FeedFollower): boolean =>
  ends !== undefined && (ends.userId === undefined || ends.userId === userId)
