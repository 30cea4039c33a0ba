import type { Connection } from './connection.js'
import { CallError, lost } from './errors.js'
import { createLobbies, type Call } from './lobbies.js'
import type { LobbyNews, UserNews } from './operations.js'
import { createReader, oldest, type Entry, type Following, type Reader } from './reader.js'

type Named<N, More = unknown> = { [E in keyof N]: N[E] & More & { name: E; seq: number; at: string } }[keyof N]

/** What this version knows of; a newer server may tell more, under other names. */
export type UserEntry = Named<UserNews>
export type LobbyEntry = Named<LobbyNews, { lobbyId: string }>
export type CalendarEntry = Extract<UserEntry, { name: 'calendar:updated' | 'invitation:updated' }>
export type ConversationEntry = Extract<UserEntry, { name: 'message:new' | 'message:delivered' }>

export interface FollowOptions {
  /** The last `seq` that was seen, on whatever connection before: what came since comes first. Default: from now on. */
  lastSeq?: number
}

/** What the server tells, as loops. Each may be followed any number of times at once; `lastSeq` is of its feed. */
export interface Feeds {
  /** Joins a lobby and follows what is said there, until the loop ends or the lobby is closed. */
  lobby(lobbyId: string, options?: FollowOptions): Following<LobbyEntry>
  /** All that concerns the user. What is told in a lobby that is followed, too, comes there alone. */
  news(options?: FollowOptions): Following<UserEntry>
  /** Of the news, what changes the user's calendar. */
  calendar(options?: FollowOptions): Following<CalendarEntry>
  /** Of the news, messages from this user, and how far those to them have come. */
  conversation(withUserId: string, options?: FollowOptions): Following<ConversationEntry>
}

const ANONYMOUS = new CallError(
  lost('unauthenticated', 'Only whoever is signed in has news: connect with a token.', false),
)

/** What a socket is told, given to whoever follows it: the user's own feed, and those of lobbies. */
export function createFeeds(
  connection: Connection,
  call: Call,
  signedIn: boolean,
): { feeds: Feeds; isForNow(code: string, input: object): boolean } {
  const { socket } = connection
  const lobbies = createLobbies(connection, call)
  const readers = new Set<Reader>()
  /** Of the user's own feed, whoever reads it or not: the server tells it to every connection. */
  let position: number | undefined
  /** This connection has not been told yet where it begins. */
  let fresh = true

  connection.handshake(() => {
    const lastSeq = oldest(readers) ?? position
    return { ...(lastSeq !== undefined && { lastSeq }), lobbies: lobbies.since() }
  })

  socket.on('connect', () => {
    fresh = true
    lobbies.connected()
  })

  socket.onAny((name: string, payload: unknown, acknowledge: unknown) => {
    if (typeof payload !== 'object' || payload === null) return
    const { seq, lobbyId } = payload as { seq?: unknown; lobbyId?: unknown }
    if (typeof seq !== 'number') return
    const entry = { ...payload, name, seq }
    const taken = typeof lobbyId === 'string' ? lobbies.take(lobbyId, entry) : takeOwn(entry)
    // To the sender of a message it says that it has been received: by whoever reads it, not by a socket.
    if (taken && typeof acknowledge === 'function') (acknowledge as () => void)()
  })

  function takeOwn(entry: Entry): boolean {
    const { name, seq } = entry
    position = seq
    if (name !== 'position') return [...readers].filter((reader) => reader.push(entry)).length > 0
    for (const reader of readers) {
      if (fresh) reader.told({ from: seq, head: seq })
      else reader.skipTo(seq)
    }
    fresh = false
    return false
  }

  connection.onStatus(() => {
    const refused = connection.refused()
    if (!refused) return
    lobbies.fail(refused)
    for (const reader of readers) reader.finish(refused)
  })

  function news({ lastSeq }: FollowOptions = {}, takes?: (entry: Entry) => boolean): Following {
    const reader = createReader({
      lastSeq,
      takes,
      // The handshake alone says where the user's feed goes on; calls that are under way are sent again.
      behind: connection.reconnect,
      ended: () => readers.delete(reader),
    })
    readers.add(reader)
    const refused = signedIn ? connection.refused() : ANONYMOUS
    if (refused) reader.finish(refused)
    else if (position !== undefined && !fresh) reader.told({ from: position, head: position })
    return reader
  }

  return {
    feeds: {
      lobby: (lobbyId, options = {}) => lobbies.follow(lobbyId, options) as Following<LobbyEntry>,
      news: (options) => news(options) as Following<UserEntry>,
      calendar: (options) => news(options, concernsCalendar) as Following<CalendarEntry>,
      conversation: (withUserId, options) => news(options, isWith(withUserId)) as Following<ConversationEntry>,
    },
    /** On a new connection a post may overtake its lobby's join. */
    isForNow(code, input) {
      const { lobbyId } = input as { lobbyId?: unknown }
      return code === 'not_in_lobby' && typeof lobbyId === 'string' && lobbies.follows(lobbyId)
    },
  }
}

const concernsCalendar = ({ name }: Entry): boolean => name === 'calendar:updated' || name === 'invitation:updated'

const isWith =
  (userId: string) =>
  ({ name, fromUserId, toUserId }: Entry): boolean =>
    (name === 'message:new' && fromUserId === userId) || (name === 'message:delivered' && toUserId === userId)
