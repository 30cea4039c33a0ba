import type { Connection } from './connection.js'
import { CallError } from './errors.js'
import type { LobbyNews, UserNews } from './operations.js'

/** What happened, in the order of its feed; `seq` counts from 1 and has no gaps. */
export interface Entry {
  name: string
  seq: number
  at?: string
  [field: string]: unknown
}

type Told<N, More = unknown> = { [E in keyof N]: N[E] & More & { name: E; seq: number; at: string } }[keyof N]

/** What this version knows of; a newer server may tell more, under other names. */
export type UserEntry = Told<UserNews>
export type LobbyEntry = Told<LobbyNews, { lobbyId: string }>

/** In place of entries that are older than the server keeps them: what one shows should be read anew. */
export interface Gap {
  name: 'gap'
  /** The last that came before, and the first that comes after. */
  after: number
  before: number
}

/** `for await (const entry of ...)`: entries as they come, over reconnects, each once. `break` ends it. */
export interface Following<E extends Entry = Entry> extends AsyncIterable<E | Gap> {
  /** Settles when the server tells this client, and nothing from here on is missed. */
  readonly following: Promise<void>
}

/** So much waits for whoever reads slowly. What comes on top is not kept: it is asked for again when there is room. */
const MAX_WAITING = 1000

/** A feed as seen by this client: where it is, what waits to be read, and how to have it told again from there. */
export interface Feed {
  /** An entry arrived. */
  push(entry: Entry): void
  /** The feed stands there, and nothing of it is to be told here up to that. */
  skipTo(seq: number): void
  /** Where it stands from now on: what came before was not asked for. */
  start(seq: number): void
  /** The last that was taken in. */
  seq(): number | undefined
  read(): Following
  fail(error: CallError): void
}

export function createFeed(options: {
  begin(feed: Feed): Promise<void>
  /** Have everything behind `seq` told again. */
  again(feed: Feed, seq: number): void
  end(): void
}): Feed {
  let seq: number | undefined
  let overflowed = false
  let failure: CallError | undefined
  const waiting: (Entry | Gap)[] = []
  let wake = (): void => {}

  const feed: Feed = {
    push(entry) {
      if (overflowed || (seq !== undefined && entry.seq <= seq)) return
      if (waiting.length >= MAX_WAITING) {
        overflowed = true
        return
      }
      if (seq !== undefined && entry.seq > seq + 1) waiting.push({ name: 'gap', after: seq, before: entry.seq })
      seq = entry.seq
      waiting.push(entry)
      wake()
    },
    skipTo(to) {
      if (!overflowed && seq !== undefined && to > seq) seq = to
    },
    start(at) {
      seq ??= at
    },
    seq: () => seq,
    fail(error) {
      failure = error
      wake()
    },
    read() {
      const following = options.begin(feed)
      // Whoever does not look at it hears of the failure from the loop.
      following.catch((error: CallError) => feed.fail(error))
      return { following, [Symbol.asyncIterator]: iterate }
    },
  }

  async function* iterate(): AsyncGenerator<Entry | Gap> {
    try {
      for (;;) {
        const next = waiting.shift()
        if (next) yield next
        else if (failure) throw failure
        else if (overflowed) {
          overflowed = false
          options.again(feed, seq ?? 0)
        } else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      options.end()
    }
  }
  return feed
}

export interface Feeds {
  lobby(lobbyId: string, options?: { lastSeq?: number }): Following<LobbyEntry>
  news(options?: { lastSeq?: number }): Following<UserEntry>
}

const ANONYMOUS = {
  code: 'unauthenticated',
  message: 'Only whoever is signed in has news: connect with a token.',
  retryable: false,
  requestId: '',
} as const

type Call = (operation: string, input: object) => Promise<unknown>

/** What a socket is told, given to whoever follows it: the user's own feed, and those of lobbies. */
export function createFeeds(connection: Connection, call: Call, signedIn: boolean): Feeds {
  const { socket, comeback } = connection
  const lobbies = new Map<string, Feed>()
  const readers = new Set<Feed>()
  /** Of the user's own feed, whoever reads it or not: the server tells it to every connection. */
  let position: number | undefined
  let foundPosition = (): void => {}
  const positionKnown = new Promise<void>((resolve) => (foundPosition = resolve))

  socket.onAny((name: string, payload: unknown, acknowledge: unknown) => {
    if (name === 'operations' || typeof payload !== 'object' || payload === null) return
    const { seq, lobbyId } = payload as { seq?: unknown; lobbyId?: unknown }
    if (typeof acknowledge === 'function') (acknowledge as () => void)()
    if (typeof seq !== 'number') return
    if (typeof lobbyId === 'string') {
      lobbies.get(lobbyId)?.push({ ...payload, name, seq })
      return
    }
    position = seq
    comeback.lastSeq = seq
    for (const feed of readers) {
      if (name === 'position') feed.skipTo(seq)
      else feed.push({ ...payload, name, seq })
    }
    foundPosition()
  })

  const join = async (lobbyId: string, feed: Feed, lastSeq: number | undefined): Promise<void> => {
    const answer = await call('joinLobby', { lobbyId, ...(lastSeq !== undefined && { lastSeq }) })
    const { seq } = answer as { seq: number }
    feed.start(lastSeq ?? seq)
    comeback.lobbies[lobbyId] ??= lastSeq ?? seq
  }

  // A new connection is in no lobby: each is joined again from where it was.
  socket.on('connect', () => {
    for (const [lobbyId, feed] of lobbies) {
      const seq = feed.seq()
      if (seq !== undefined) join(lobbyId, feed, seq).catch((error: CallError) => feed.fail(error))
    }
  })
  connection.onStatus((status) => {
    const refused = connection.refused()
    if (status.state !== 'closed' || !refused) return
    for (const feed of [...lobbies.values(), ...readers]) feed.fail(refused)
  })

  return {
    lobby(lobbyId, { lastSeq } = {}) {
      if (lobbies.has(lobbyId)) throw new Error(`The lobby ${lobbyId} is followed already.`)
      const feed = createFeed({
        begin: (own) => join(lobbyId, own, lastSeq),
        again: (own, seq) => void join(lobbyId, own, seq).catch((error: CallError) => own.fail(error)),
        end() {
          lobbies.delete(lobbyId)
          delete comeback.lobbies[lobbyId]
          if (socket.connected) call('leaveLobby', { lobbyId }).catch(() => {})
        },
      })
      lobbies.set(lobbyId, feed)
      return feed.read() as Following<LobbyEntry>
    },
    news({ lastSeq } = {}) {
      const feed = createFeed({
        async begin(own) {
          if (!signedIn) throw new CallError(ANONYMOUS)
          await positionKnown
          own.start(lastSeq ?? position ?? 0)
          readers.add(own)
          if (lastSeq !== undefined && lastSeq < (position ?? 0)) fromAgain(lastSeq)
        },
        again: (_own, seq) => fromAgain(seq),
        end: () => readers.delete(feed),
      })
      return feed.read() as Following<UserEntry>
    },
  }

  /** The handshake alone says where the user's feed goes on; calls that are under way are sent again. */
  function fromAgain(seq: number): void {
    comeback.lastSeq = seq
    socket.disconnect().connect()
  }
}
