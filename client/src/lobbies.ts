import { pause } from './abortable.js'
import type { Result, Sending } from './calls.js'
import type { Connection } from './connection.js'
import { CallError } from './errors.js'
import { createReader, oldest, type Entry, type Following, type Reader } from './reader.js'

export type Call = (operation: string, input: object, options?: Partial<Sending>) => Promise<unknown>

/** Tries to join that were refused only for now are this far apart. */
const AGAIN_MS = 1000

export interface Lobbies {
  follow(lobbyId: string, options: { lastSeq?: number | undefined }): Following
  /** Of the lobby that it names. Answers whether anybody reads it. */
  take(lobbyId: string, entry: Entry): boolean
  /** The connection is a new one, which is in no lobby. */
  connected(): void
  follows(lobbyId: string): boolean
  /** Where each lobby was first joined, for the handshake: what was told there is not told as news again. */
  since(): Record<string, number>
  fail(error: CallError): void
}

interface Lobby {
  readers: Set<Reader>
  since?: number
}

/** The lobbies that this client is in: each is joined once, whoever reads it, and again on each new connection. */
export function createLobbies({ socket }: Connection, call: Call): Lobbies {
  const lobbies = new Map<string, Lobby>()
  /** A join that overtakes a leave would be undone by it. */
  const leaving = new Map<string, Promise<unknown>>()

  async function join(lobbyId: string, lobby: Lobby): Promise<void> {
    await leaving.get(lobbyId)
    const lastSeq = oldest(lobby.readers)
    function heard(result: Result): void {
      if (!result.ok) return
      const { seq: head } = result.data as { seq: number }
      const from = lastSeq ?? head
      lobby.since ??= from
      for (const reader of lobby.readers) reader.told({ from, head })
    }
    await call('joinLobby', { lobbyId, ...(lastSeq !== undefined && { lastSeq }) }, { heard })
  }

  /** What is in the way for now passes; a refusal is the end. */
  async function persist(lobbyId: string, lobby: Lobby): Promise<void> {
    while (lobbies.get(lobbyId) === lobby) {
      try {
        return await join(lobbyId, lobby)
      } catch (error) {
        const refusal = error as CallError
        if (!refusal.retryable) return end(lobbyId, lobby, refusal)
        // A new connection joins by itself.
        if (!socket.connected) return
        await pause(AGAIN_MS)
      }
    }
  }

  function end(lobbyId: string, lobby: Lobby, error?: CallError): void {
    lobbies.delete(lobbyId)
    for (const reader of lobby.readers) reader.finish(error)
  }

  function leave(lobbyId: string): void {
    lobbies.delete(lobbyId)
    if (!socket.connected) return
    const left = call('leaveLobby', { lobbyId })
      .catch(() => {})
      .finally(() => {
        if (leaving.get(lobbyId) === left) leaving.delete(lobbyId)
      })
    leaving.set(lobbyId, left)
  }

  return {
    follow(lobbyId, { lastSeq }) {
      const lobby = lobbies.get(lobbyId) ?? { readers: new Set() }
      lobbies.set(lobbyId, lobby)
      const reader = createReader({
        lastSeq,
        behind: () => void persist(lobbyId, lobby),
        ended() {
          lobby.readers.delete(reader)
          if (lobby.readers.size === 0 && lobbies.get(lobbyId) === lobby) leave(lobbyId)
        },
      })
      lobby.readers.add(reader)
      void persist(lobbyId, lobby)
      return reader
    },
    take(lobbyId, entry) {
      const lobby = lobbies.get(lobbyId)
      if (!lobby) return false
      for (const reader of lobby.readers) reader.push(entry)
      if (entry.name === 'lobby:deleted') end(lobbyId, lobby)
      // Was it this user? Whoever was removed is not let in again.
      if (entry.name === 'lobby:removed') void persist(lobbyId, lobby)
      return true
    },
    connected() {
      for (const [lobbyId, lobby] of lobbies) void persist(lobbyId, lobby)
    },
    follows: (lobbyId) => lobbies.has(lobbyId),
    since: () =>
      Object.fromEntries(
        [...lobbies].flatMap(([lobbyId, { since }]) => (since === undefined ? [] : [[lobbyId, since] as const])),
      ),
    fail(error) {
      for (const [lobbyId, lobby] of lobbies) end(lobbyId, lobby, error)
    },
  }
}
