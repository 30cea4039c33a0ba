import { io, type Socket } from 'socket.io-client'
import { abortable } from './abortable.js'
import { CallError, lost, messageOf, retryAfterMs, type PublicError } from './errors.js'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2000

/**
 * A token, or how to get one: asked before each connect, and again when the server no longer takes the one at hand. Where
 * it answers null, this client is signed out; where it fails, it is asked again with the next try to connect. `refused`:
 * the server does not take the last one any more.
 */
export type Token = string | ((refused: boolean) => string | null | Promise<string | null>)

export type Status =
  | { state: 'connecting' | 'online' }
  /** It reconnects by itself. */
  | { state: 'offline'; reason: string }
  /** The server does not take the token, or there is none: nothing more comes, connect again. */
  | { state: 'signedOut'; reason: string }
  /** By `close()`. */
  | { state: 'closed'; reason: string }

/** What the gateway tells about its operations after each connect. */
export type Told = Record<string, { idempotent: boolean; newId?: string }>

export interface Connection {
  socket: Socket
  status(): Status
  onStatus(listener: (status: Status) => void): () => void
  /** What the gateway said of its operations, as soon as it has; undefined when the time is up. Throws what `refused` says. */
  told(timeoutMs: number, signal?: AbortSignal): Promise<Told | undefined>
  /** The number of the connection that takes requests, as soon as there is one; undefined when the time is up. */
  open(timeoutMs: number, signal?: AbortSignal): Promise<number | undefined>
  /** Calls back whenever the connection has come, gone, or been refused, until the answer is called. */
  watch(look: () => void): () => void
  /** A request is under way that must not be sent twice: until the answer is called, nothing here breaks the connection. */
  guard(): () => void
  /** Why nothing more will come, if so. */
  refused(): CallError | undefined
  /** Gets a fresh token, unless that has been done since connection `number`; false where there is no way to. */
  renew(number: number): boolean
  /** Connects anew, once no guarded request is under way. */
  reconnect(): void
  /** Adds to what each handshake says: where followed feeds go on. */
  handshake(fields: () => object): void
  close(): void
}

export function openConnection(url: string, token: Token | undefined): Connection {
  const listeners = new Set<(status: Status) => void>()
  const waiting = new Set<() => void>()
  let told: Told | undefined
  let refusal: CallError | undefined
  let status: Status = { state: 'connecting' }
  let fields = (): object => ({})
  let number = 0
  let guarded = 0
  /** Connects anew as soon as nothing is guarded. */
  let leaving = false
  /** A fresh token was asked for, and none has worked since: asking again would go on for ever. */
  let renewed = false
  /** The last token is not taken any more, and no other has been had yet. */
  let stale = false
  let pauseMs = FIRST_PAUSE_MS

  const socket: Socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: FIRST_PAUSE_MS,
    reconnectionDelayMax: LONGEST_PAUSE_MS,
    auth: (send) => void introduce(send),
  })

  /** Only the newest handshake gets its answer, and all share one question: a token may be good for one use. */
  let handshakes = 0
  let asking: Promise<string | null | undefined> | undefined

  async function introduce(send: (auth: object) => void): Promise<void> {
    const own = ++handshakes
    try {
      asking ??= Promise.resolve(typeof token === 'function' ? token(stale) : token).finally(() => (asking = undefined))
      const current = await asking
      stale = false
      if (own !== handshakes || refusal) return
      if (current === null) return end('signedOut', new CallError(lost('unauthenticated', 'There is no token.', false)))
      send({ ...(current !== undefined && { token: current }), ...fields() })
    } catch (error) {
      if (own !== handshakes || refusal) return
      if (error instanceof CallError && !error.retryable) return end('signedOut', error as CallError)
      socket.disconnect()
      later(`No token could be had: ${messageOf(error)}`)
    }
  }

  function become(next: Status): void {
    status = next
    for (const each of [...listeners]) each(next)
    for (const look of [...waiting]) look()
  }

  function end(state: 'signedOut' | 'closed', error: CallError): void {
    if (refusal) return
    refusal = error
    socket.disconnect()
    become({ state, reason: error.message })
  }

  /** Where socket.io does not connect again by itself. */
  function later(reason: string, atLeastMs = 0): void {
    become({ state: 'offline', reason })
    setTimeout(connect, Math.max(pauseMs, atLeastMs))
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
  }

  function connect(): void {
    if (!refusal && !socket.active) socket.connect()
  }

  socket.on('connect', () => {
    number++
    become({ state: 'online' })
  })
  socket.on('disconnect', dropped)
  socket.on('operations', introduced)
  // The server tells whoever is signed in where their news stand, once it has looked the token up.
  socket.on('position', () => (renewed = false))
  socket.on('session:ended', renewOr)
  socket.on('connect_error', turnedAway)

  function dropped(reason: string): void {
    leaving = false
    if (refusal) return
    if (reason === 'io server disconnect') later('The server closed the connection.')
    else if (reason === 'io client disconnect') become({ state: 'connecting' })
    else become({ state: 'offline', reason })
  }

  function introduced(operations: Told): void {
    told = operations
    pauseMs = FIRST_PAUSE_MS
    for (const look of [...waiting]) look()
  }

  function turnedAway(error: Error & { data?: PublicError }): void {
    // Only a refusal by the gateway has data; everything else socket.io tries again by itself.
    if (!error.data) return become({ state: 'offline', reason: error.message })
    if (error.data.code === 'unauthenticated') return renewOr(error.data)
    if (!error.data.retryable) return end('closed', new CallError(error.data))
    later(error.data.message, retryAfterMs(error.data))
  }

  function renewOr(error: PublicError): void {
    if (typeof token !== 'function' || renewed) return end('signedOut', new CallError(error))
    renewed = true
    stale = true
    reconnect()
  }

  function renew(since: number): boolean {
    if (typeof token !== 'function') return false
    if (since === number) {
      stale = true
      reconnect()
    }
    return true
  }

  function guard(): () => void {
    guarded++
    return () => {
      guarded--
      leaveWhenQuiet()
    }
  }

  function reconnect(): void {
    leaving = true
    leaveWhenQuiet()
  }

  function leaveWhenQuiet(): void {
    if (!leaving || (guarded > 0 && socket.connected) || refusal) return
    leaving = false
    socket.disconnect()
    // Not in this turn: what the old connection brought in it would be taken for the new one's.
    setTimeout(connect)
  }

  function watch(look: () => void): () => void {
    waiting.add(look)
    return () => void waiting.delete(look)
  }

  /** What `check` finds, as soon as it finds anything; undefined when the time is up. */
  function find<T>(check: () => T | undefined, timeoutMs: number, signal?: AbortSignal): Promise<T | undefined> {
    return abortable(signal, (resolve, reject) => {
      const timer = setTimeout(resolve, timeoutMs, undefined)
      function look(): void {
        if (refusal) return reject(refusal)
        const found = check()
        if (found !== undefined) resolve(found)
      }
      const unwatch = watch(look)
      look()
      return () => {
        clearTimeout(timer)
        unwatch()
      }
    })
  }

  return {
    socket,
    status: () => status,
    onStatus(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    told: (timeoutMs, signal) => find(() => told, timeoutMs, signal),
    open: (timeoutMs, signal) => find(() => (socket.connected && !leaving ? number : undefined), timeoutMs, signal),
    watch,
    guard,
    refused: () => refusal,
    renew,
    reconnect,
    handshake: (added) => void (fields = added),
    close: () => end('closed', new CallError(lost('unavailable', 'This client was closed.', false))),
  }
}
