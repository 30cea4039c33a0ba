import type { Socket } from 'socket.io'
import type { Acknowledge } from './acknowledgements.js'
import type { Entry } from '../functions/feeds/contract.js'
import type { FeedHub, FeedFollower, Pace } from './feedHub.js'
import type { Moved } from './presence.js'

/** The feeds that one socket follows: its user's, and those of the lobbies that it is in. */
export interface SocketFeeds {
  /**
   * Of the user, from behind what the client saw last; by default from now on. What stands in a lobby too that the client
   * is coming back to, behind where it joined first, waits until it has joined again, and comes there.
   */
  followUser(userId: string): void
  /** Where the socket is in the room already, only an explicit `again` starts over from that number. */
  follow(feed: string, from: { after: number; again: boolean }): void
  unfollow(feed: string): void
  /** Its client was not let in. */
  doNotExpect(feed: string): void
  follows(feed: string): boolean
  /** The socket is gone. `lost`: not by its client's will, which is probably about to come back. */
  close(lost: boolean): void
}

/** What a client that was here before says of it. */
export interface Comeback {
  /** What it saw last of its user's feed. */
  lastSeq?: number | undefined
  /** The lobbies that it is about to join again, and the `seq` that each was first joined at. */
  lobbies?: Record<string, number> | undefined
}

/** More does not wait for a client that said it would join, and does not. */
const MAX_WAITING = { entries: 1000, bytes: 256_000 }

/** Which part of a lobby's feed this socket gets, or got, by being there. */
interface Stay {
  /** All after this; over earlier connections, where its client says that it was there before. */
  since: number
  /** What it has been given by itself, before it caught up with the room. */
  seen: number
  /** Where it left; undefined: it is there. */
  until?: number
  follower: FeedFollower
}

export function createSocketFeeds(options: {
  socket: Socket
  hub: FeedHub
  /** It came into a lobby, or went. */
  moved: Moved
  acknowledge: Acknowledge
  comeback: Comeback
  pace: Pace
}): SocketFeeds {
  const { socket, hub, moved, acknowledge, comeback, pace } = options
  const stays = new Map<string, Stay>()
  /** The feeds that its client is about to be in again, and since when it was. */
  const expected = new Map(Object.entries(comeback.lobbies ?? {}).map(([id, since]) => [`lobby:${id}`, since]))
  const waiting: { entry: Entry; bytes: number }[] = []
  let waitingBytes = 0
  const following: { user?: { userId: string; feed: string; follower: FeedFollower } } = {}
  let closed = false

  function emit(entry: Entry): void {
    const acknowledged = following.user && acknowledge(following.user.userId, entry)
    if (acknowledged) socket.emit(entry.name, payloadOf(entry), acknowledged)
    else socket.emit(entry.name, payloadOf(entry))
  }
  /** Where the user's feed is for this client, where no event of it says so. */
  const tellPosition = (seq: number): void => void socket.emit('position', { seq })

  /** Whether the socket gets this, or got it, from another feed that it stands in. */
  const getsElsewhere = ({ also = [] }: Entry): boolean =>
    also.some(({ feed, seq }) => {
      const stay = stays.get(feed)
      return stay !== undefined && stay.since < seq && (stay.until === undefined || seq <= stay.until)
    })

  /** Whether the socket will get this elsewhere, by what its client said. */
  const willGetElsewhere = ({ also = [] }: Entry): boolean =>
    also.some(({ feed, seq }) => (expected.get(feed) ?? Infinity) < seq)

  /** The user's feed, in order: what has to wait holds up what comes after it. */
  function pump(): void {
    for (let first = waiting[0]; first; first = waiting[0]) {
      const { entry, bytes } = first
      const elsewhere = getsElsewhere(entry)
      const tooMany = waiting.length > MAX_WAITING.entries || waitingBytes > MAX_WAITING.bytes
      if (!elsewhere && willGetElsewhere(entry) && !tooMany) return
      waiting.shift()
      waitingBytes -= bytes
      if (elsewhere) tellPosition(entry.seq)
      else emit(entry)
    }
  }

  function doNotExpect(feed: string): void {
    if (expected.delete(feed)) pump()
  }

  function leave(feed: string, lost = false): void {
    const stay = stays.get(feed)
    if (!stay || stay.until !== undefined) return
    stay.until = hub.unfollow(feed, stay.follower) ?? stay.seen
    void socket.leave(feed)
    moved(feed, stay.follower.userId, lost)
  }

  const feeds: SocketFeeds = {
    followUser(userId) {
      const feed = `user:${userId}`
      const follower: FeedFollower = {
        userId,
        active: () => !closed,
        from: tellPosition,
        pace,
        deliver(entry) {
          // Only what a client is expected to get elsewhere waits, and only then its size matters.
          const bytes = expected.size === 0 ? 0 : JSON.stringify(entry.data).length
          waiting.push({ entry, bytes })
          waitingBytes += bytes
          pump()
        },
        caughtUp() {},
        ended() {},
      }
      following.user = { userId, feed, follower }
      hub.follow(feed, follower, comeback.lastSeq)
    },
    follow(feed, { after, again }) {
      if (closed || !following.user) return
      const isThere = feeds.follows(feed)
      if (isThere && !again) return
      const since = (isThere ? stays.get(feed)?.since : expected.get(feed)) ?? after
      if (isThere) leave(feed)
      const stay: Stay = {
        since,
        seen: after,
        follower: {
          userId: following.user.userId,
          active: () => !closed && stays.get(feed) === stay && stay.until === undefined,
          from: (seq) => void (stay.seen = seq),
          pace,
          deliver(entry) {
            stay.seen = entry.seq
            emit(entry)
          },
          caughtUp: () => void socket.join(feed),
          ended(seq) {
            stay.until = seq
            void socket.leave(feed)
            moved(feed, stay.follower.userId)
          },
        },
      }
      stays.set(feed, stay)
      hub.follow(feed, stay.follower, after)
      moved(feed, stay.follower.userId)
      expected.delete(feed)
      pump()
    },
    unfollow(feed) {
      leave(feed)
      doNotExpect(feed)
    },
    doNotExpect,
    follows(feed) {
      const stay = stays.get(feed)
      return stay !== undefined && stay.until === undefined
    },
    close(lost) {
      if (closed) return
      closed = true
      if (following.user) hub.unfollow(following.user.feed, following.user.follower)
      for (const feed of stays.keys()) leave(feed, lost)
    },
  }
  return feeds
}

/** What clients get of an entry. */
export function payloadOf({ feed, data, seq, at }: Entry): object {
  const [kind, id] = feed.split(':')
  return { ...data, seq, ...(kind === 'lobby' && { lobbyId: id }), at }
}
